import { CurfewError, durationMs, HOUR, MINUTE, type ErrorCode } from '@curfew/shared';
import assert from 'node:assert/strict';
import { reviewsWaiting, waitingFor } from '../overview/waiting-for.js';
import { ANY_DEVICE, type PolicySpec } from '../policies/policy-spec.js';
import { draft, openOffice, SUDO, type Office, type Person } from '../policies/office-fixture.js';

describe('requests under policies', () => {
  let office: Office;
  beforeEach(async () => {
    office = await openOffice();
  });
  afterEach(() => office.ledger.close());

  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await office.picture();
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code, error.message);
      return true;
    });
    assert.equal(await office.picture(), before);
  }

  const under = (spec: Partial<PolicySpec>) => office.usePolicies([draft('rules', spec)]);
  const ask = (who: Person = 'alice', input: { ticket?: string; breakGlass?: boolean; durationMs?: number } = {}) =>
    office.access.request(office.by(who), {
      device: 'web-1',
      account: '',
      durationMs: 30 * MINUTE,
      reason: 'a look',
      ticket: '',
      options: SUDO,
      breakGlass: false,
      ...input,
    });
  const onDevice = (who: Person = 'alice') =>
    office.requests.create(office.web, {
      account: office.account(who),
      durationMs: 30 * MINUTE,
      reason: 'a look',
      options: SUDO,
    });
  const approve = (who: Person, id: string) => office.requests.approve(office.by(who), id, { reason: 'fine' });
  const join = (who: Person, ...groups: string[]) => office.users.update(office.by('olga'), who, { groups });

  it('fall under the policy that every ledger begins with', async () => {
    const request = await ask();
    assert.deepEqual([request.policy_name, request.policy_version, request.state], ['default', 1, 'pending']);
    assert.equal((await approve('anna', request.id)).state, 'approved');
  });

  it('are refused where no policy matches, from the console and from the device', async () => {
    await office.usePolicies([]);
    await refused('POLICY_DENIES', () => ask());
    await refused('POLICY_DENIES', () => onDevice());
    await under({ effect: 'deny' });
    await refused('POLICY_DENIES', () => onDevice());
  });

  it('are judged by groups of users and labels of devices', async () => {
    await under({
      subject: { users: [], groups: ['web'] },
      target: { ...ANY_DEVICE, labels: { env: 'prod' } },
    });
    await refused('POLICY_DENIES', () => ask());
    await join('alice', 'web', 'oncall');
    await refused('POLICY_DENIES', () => ask());
    await office.devices.setLabels(office.by('adam'), 'web-1', { env: 'prod' });
    assert.equal((await ask()).policy_name, 'rules');
  });

  it('are refused for what their policy does not take', async () => {
    await under({ maxDurationMs: 20 * MINUTE, ticketPattern: 'OPS-[0-9]+', reasonPattern: 'look' });
    await refused('DURATION_TOO_LONG', () => ask());
    await refused('TICKET_INVALID', () => ask('alice', { durationMs: MINUTE, ticket: 'x' }));
    await refused('POLICY_DENIES', () => ask('alice', { durationMs: MINUTE, ticket: 'OPS-1', breakGlass: true }));
    const made = await ask('alice', { durationMs: MINUTE, ticket: 'OPS-1' });
    assert.equal(made.ticket, 'OPS-1');
    await under({ reasonPattern: '^INC' });
    await refused('REASON_INVALID', () => ask('bert'));
  });

  it('are decided step by step, by different people whom each step names', async () => {
    await join('anna', 'security');
    await under({
      steps: [
        { users: [], groups: [], approvals: 2 },
        { users: ['adam'], groups: ['security'], approvals: 1 },
      ],
    });
    const { id } = await ask();
    await refused('DECISION_NOT_YOURS', () => approve('vera', id));
    const first = await approve('anna', id);
    assert.deepEqual([first.state, first.step, first.decisions.length], ['pending', 1, 1]);
    await refused('DECISION_ALREADY_MADE', () => approve('anna', id));
    const second = await approve('olga', id);
    assert.deepEqual([second.state, second.step], ['pending', 2]);
    await refused('DECISION_NOT_YOURS', () => approve('bert', id));
    await refused('DECISION_ALREADY_MADE', () => approve('anna', id));
    await refused('DECISION_NOT_YOURS', () => office.requests.deny(office.by('bert'), id, 'no'));
    const done = await approve('adam', id);
    assert.deepEqual([done.state, done.decided_by], ['approved', 'adam']);
    assert.deepEqual(
      done.decisions.map(({ step, decided_by }) => [step, decided_by]),
      [
        [1, 'anna'],
        [1, 'olga'],
        [2, 'adam'],
      ],
    );
    await refused('REQUEST_NOT_PENDING', () => approve('bert', id));
  });

  it('are shortened by whoever decides, and never made longer again', async () => {
    await under({ steps: [{ users: [], groups: [], approvals: 2 }] });
    const { id } = await ask();
    await office.requests.approve(office.by('anna'), id, { reason: '', durationMs: 10 * MINUTE });
    await refused('DURATION_TOO_LONG', () =>
      office.requests.approve(office.by('bert'), id, { reason: '', durationMs: 11 * MINUTE }),
    );
    assert.equal((await approve('bert', id)).duration_ms, 10 * MINUTE);
  });

  it('end with the first denial, in whatever step', async () => {
    await under({
      steps: [
        { users: [], groups: [], approvals: 1 },
        { users: ['adam'], groups: [], approvals: 1 },
      ],
    });
    const { id } = await ask();
    await approve('anna', id);
    const denied = await office.requests.deny(office.by('adam'), id, 'not today');
    assert.deepEqual([denied.state, denied.decision_reason], ['denied', 'not today']);
    assert.deepEqual(
      denied.decisions.map(({ approved }) => approved),
      [1, 0],
    );
  });

  it('are decided by nobody once their time is over, also before they are swept', async () => {
    const { id } = await ask();
    office.clock.advance(durationMs(office.context.settings.decideWithinMs - 1));
    await refused('DECISION_NOT_YOURS', () => approve('vera', id));
    office.clock.advance(durationMs(1));
    const late = { code: 'REQUEST_NOT_PENDING', fields: { id, state: 'timed_out' } };
    const before = await office.picture();
    await assert.rejects(approve('anna', id), late);
    await assert.rejects(office.requests.deny(office.by('anna'), id, 'too late'), late);
    assert.equal(await office.picture(), before);
    await office.requests.sweep();
    await assert.rejects(approve('anna', id), late);
  });

  it('are never decided by who asks, but where the policy says so', async () => {
    await under({});
    const { id } = await ask('anna');
    await refused('SELF_APPROVAL', () => approve('anna', id));
    await refused('SELF_APPROVAL', () => office.requests.deny(office.by('anna'), id, 'no'));
    await office.access.cancel(office.by('anna'), id);
    await under({ selfApproval: true });
    assert.equal((await approve('anna', (await ask('anna')).id)).state, 'approved');
    // Nobody decides without the role for it, on themselves or others.
    const { id: alices } = await ask('alice');
    await refused('DECISION_NOT_YOURS', () => approve('alice', alices));
  });

  it('keep the version that they were made under', async () => {
    await under({ steps: [{ users: [], groups: [], approvals: 2 }], freshSignInMs: HOUR });
    const { id } = await ask();
    await under({ effect: 'deny' });
    assert.equal((await approve('anna', id)).state, 'pending');
    const approved = await approve('bert', id);
    assert.deepEqual([approved.state, approved.policy_version], ['approved', 1]);
    await refused('FRESH_SIGN_IN_REQUIRED', () => office.access.start(office.by('alice'), id));
  });

  it('approve themselves where the policy does, with its name', async () => {
    await under({ autoApproval: { maxDurationMs: 30 * MINUTE, hours: [] }, startWithinMs: HOUR });
    const request = await onDevice();
    assert.deepEqual([request.state, request.decided_by, request.break_glass], ['approved', 'policy rules', 0]);
    assert.equal(request.start_by_ms, office.clock.now() + HOUR);
    assert.deepEqual(
      request.decisions.map(({ user_id, decided_by }) => [user_id, decided_by]),
      [[null, 'policy rules']],
    );
    assert.equal((await ask('bert', { durationMs: 31 * MINUTE })).state, 'pending');
  });

  it('start at once as break-glass, and wait for a review by somebody else', async () => {
    await under({ breakGlass: true, selfApproval: true });
    const request = await ask('anna', { breakGlass: true });
    assert.deepEqual([request.state, request.decided_by], ['approved', 'policy rules']);
    const session = await office.access.start(office.by('anna'), request.id);
    assert.equal(session.break_glass, 1);
    const waiting = {
      states: [],
      user: '',
      device: '',
      resource: '',
      text: '',
      orderBy: '',
      pageSize: 0,
      pageToken: '',
    } as const;
    const list = () => office.requests.list({ ...waiting, canDecide: undefined, reviewWaiting: true });
    assert.deepEqual(
      (await list()).requests.map(({ id }) => id),
      [request.id],
    );
    const review = (who: Person, accepted: boolean) =>
      office.requests.review(office.by(who), request.id, { accepted, reason: 'looked at it' });
    assert.equal(await office.ledger.read(reviewsWaiting), 1);
    await refused('SELF_APPROVAL', () => review('anna', true));
    const reviewed = await review('bert', false);
    assert.deepEqual([reviewed.review_state, reviewed.review?.reviewed_by], ['rejected', 'bert']);
    await refused('REVIEW_NOT_WAITING', () => review('adam', true));
    assert.equal((await list()).total, 0);
    assert.equal(await office.ledger.read(reviewsWaiting), 0);
  });

  it('leave nothing to review when break-glass was never started', async () => {
    await under({ breakGlass: true });
    const request = await ask('alice', { breakGlass: true });
    assert.equal((await office.access.cancel(office.by('alice'), request.id)).review_state, '');
    await refused('REVIEW_NOT_WAITING', () =>
      office.requests.review(office.by('bert'), request.id, { accepted: true, reason: 'x' }),
    );
  });

  it('start only with a fresh sign-in where the policy wants one', async () => {
    await under({ freshSignInMs: 10 * MINUTE, autoApproval: { maxDurationMs: null, hours: [] } });
    const { id } = await ask();
    const now = office.clock.now();
    const start = (freshAtMs: number | undefined) => office.access.start({ ...office.by('alice'), freshAtMs }, id);
    for (const freshAtMs of [undefined, now - 10 * MINUTE - 1, now + 1])
      await refused('FRESH_SIGN_IN_REQUIRED', () => start(freshAtMs));
    await refused('FRESH_SIGN_IN_REQUIRED', () => office.sessions.start(office.web, office.account('alice'), id));
    assert.equal((await start(now - 10 * MINUTE)).state, 'starting');
  });

  it('are limited by the budget when they are made and when they start', async () => {
    const budget = {
      sessionsPerDay: 1,
      sessionsPerWeek: 0,
      minutesPerDay: 0,
      minutesPerWeek: 0,
      coolDownMs: 0,
      oneAtATime: false,
    };
    await under({ budget, autoApproval: { maxDurationMs: null, hours: [] } });
    const first = await ask();
    await refused('BUDGET_EXHAUSTED', () =>
      office.requests.create(office.db, {
        account: office.account('alice'),
        durationMs: MINUTE,
        reason: 'x',
        options: SUDO,
      }),
    );
    const session = await office.access.start(office.by('alice'), first.id);
    await office.hold(office.web, [session.id]);
    await office.access.end(office.by('alice'), session.id);
    await office.hold(office.web, []);
    await refused('BUDGET_EXHAUSTED', () => ask());
    office.clock.advance(durationMs(24 * HOUR));
    assert.equal((await ask()).state, 'approved');
  });

  it('are limited by the budget also when they are made, and started, all at once', async () => {
    const budget = {
      ...{ sessionsPerDay: 3, sessionsPerWeek: 0, minutesPerDay: 0, minutesPerWeek: 0 },
      ...{ coolDownMs: 0, oneAtATime: false },
    };
    await under({ budget, autoApproval: { maxDurationMs: null, hours: [] } });
    /** What has become of each of many calls of one moment: its answer, or the code of its refusal. */
    const atOnce = async <T>(calls: readonly (() => Promise<T>)[]): Promise<{ done: T[]; refusals: unknown[] }> => {
      const settled = await Promise.allSettled(calls.map((call) => call()));
      return {
        done: settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])),
        refusals: settled.flatMap((one) =>
          one.status === 'rejected' ? [(one.reason as { code?: unknown }).code] : [],
        ),
      };
    };
    const requested = await atOnce(Array.from({ length: 12 }, () => () => ask()));
    const ids = requested.done.map(({ id }) => id);
    const starts = [...ids, ...ids].map((id) => () => office.access.start(office.by('alice'), id));
    const started = await atOnce(starts);
    assert.equal(started.done.length, Math.min(3, ids.length), JSON.stringify([requested.refusals, started.refusals]));
    assert.ok(ids.length >= 1 && requested.refusals.every((code) => typeof code === 'string' && code !== 'INTERNAL'));
    const rows = await office.ledger.read((db) => db.selectFrom('session').select('id').execute());
    assert.equal(rows.length, started.done.length);
  });

  it('are listed for those who may decide them now', async () => {
    await join('anna', 'security');
    await office.usePolicies([
      draft('web', {
        target: { ...ANY_DEVICE, names: ['web-1'] },
        steps: [{ users: [], groups: ['security'], approvals: 1 }],
      }),
      draft('rest', { steps: [{ users: [], groups: [], approvals: 2 }] }),
    ]);
    const web = await ask();
    const rest = await office.requests.create(office.db, {
      account: office.account('bert'),
      durationMs: MINUTE,
      reason: 'x',
      options: SUDO,
    });
    const mine = async (who: Person) => {
      const { requests, total } = await office.requests.list({
        states: [],
        user: '',
        device: '',
        resource: '',
        text: '',
        canDecide: office.by(who),
        reviewWaiting: false,
        orderBy: 'create_time',
        pageSize: 0,
        pageToken: '',
      });
      assert.equal(total, requests.length);
      assert.equal(await office.ledger.read((db) => waitingFor(db, office.by(who))), total);
      return requests.map(({ id }) => id).sort();
    };
    assert.deepEqual(await mine('anna'), [web.id, rest.id].sort());
    assert.deepEqual(await mine('bert'), []);
    assert.deepEqual(await mine('adam'), [rest.id]);
    assert.deepEqual(await mine('vera'), []);
    await approve('adam', rest.id);
    assert.deepEqual(await mine('adam'), []);
  });
});

describe('sessions under policies', () => {
  let office: Office;
  beforeEach(async () => {
    office = await openOffice();
  });
  afterEach(() => office.ledger.close());

  const begin = async (spec: Partial<PolicySpec>) => {
    await office.usePolicies([draft('rules', { autoApproval: { maxDurationMs: null, hours: [] }, ...spec })]);
    const request = await office.access.request(office.by('alice'), {
      device: 'web-1',
      account: '',
      durationMs: 30 * MINUTE,
      reason: 'a look',
      ticket: '',
      options: SUDO,
      breakGlass: false,
    });
    const session = await office.access.start(office.by('alice'), request.id);
    await office.hold(office.web, [session.id]);
    return session.id;
  };
  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await office.picture();
    await assert.rejects(call, (error: unknown) => error instanceof CurfewError && error.code === code);
    assert.equal(await office.picture(), before);
  }
  const extend = (id: string, byMs: number) => office.sessions.extend(office.by('anna'), id, byMs);
  const apply = (spec: Partial<PolicySpec>, shorten: boolean, dryRun = false) =>
    office.policies.apply(office.by('adam'), {
      policies: [draft('rules', spec)],
      prune: true,
      dryRun,
      shorten,
      etag: '',
    });

  it('are extended within the longest of their policy', async () => {
    const id = await begin({ maxDurationMs: 40 * MINUTE });
    await refused('DURATION_TOO_LONG', () => extend(id, 11 * MINUTE));
    assert.equal((await extend(id, 10 * MINUTE)).duration_ms, 40 * MINUTE);
  });

  it('are extended by those who may decide a step of their policy, and by admins', async () => {
    const steps = [
      { users: [], groups: ['dba'], approvals: 2 },
      { users: ['bert'], groups: [], approvals: 1 },
    ];
    const id = await begin({ steps });
    const by = (who: Person) => office.sessions.extend(office.by(who), id, MINUTE);
    await refused('EXTENSION_NOT_YOURS', () => by('anna'));
    await office.users.update(office.by('olga'), 'anna', { groups: ['dba'] });
    await office.users.update(office.by('olga'), 'vera', { groups: ['dba'] });
    await refused('EXTENSION_NOT_YOURS', () => by('vera'));
    for (const who of ['anna', 'bert', 'adam'] as const) await by(who);
    assert.equal((await office.sessions.get(id)).duration_ms, 33 * MINUTE);
    // The version that it was made under counts.
    await office.usePolicies([draft('rules')]);
    await office.users.update(office.by('olga'), 'anna', { groups: [] });
    await refused('EXTENSION_NOT_YOURS', () => by('anna'));
  });

  it('are not extended where the policy forbids it', async () => {
    const id = await begin({ noExtension: true });
    await refused('EXTENSION_NOT_ALLOWED', () => extend(id, MINUTE));
  });

  it('are not extended beyond the minutes of the budget', async () => {
    const budget = {
      sessionsPerDay: 0,
      sessionsPerWeek: 0,
      minutesPerDay: 35,
      minutesPerWeek: 0,
      coolDownMs: 0,
      oneAtATime: true,
    };
    const id = await begin({ budget });
    await refused('BUDGET_EXHAUSTED', () => extend(id, 6 * MINUTE));
    assert.equal((await extend(id, 5 * MINUTE)).duration_ms, 35 * MINUTE);
  });

  it('go on when a limit is lowered, and are named; from then on they cannot be extended', async () => {
    const id = await begin({});
    const dry = await apply({ maxDurationMs: 10 * MINUTE }, false, true);
    assert.deepEqual(
      dry.longerSessions.map((session) => session.id),
      [id],
    );
    assert.equal((await office.policies.list())[0]?.version, 1);
    const kept = await apply({ maxDurationMs: 10 * MINUTE }, false);
    assert.deepEqual(
      kept.longerSessions.map((session) => session.duration_ms),
      [30 * MINUTE],
    );
    await refused('DURATION_TOO_LONG', () => extend(id, MINUTE));
  });

  it('end at the lowered limit when the operator says so, or at once when it is over', async () => {
    const id = await begin({});
    office.clock.advance(durationMs(8 * MINUTE));
    const shortened = await apply({ maxDurationMs: 10 * MINUTE }, true);
    const [session] = shortened.longerSessions;
    assert.deepEqual([session?.id, session?.state, session?.duration_ms], [id, 'active', 10 * MINUTE]);
    const [over] = (await apply({ maxDurationMs: 8 * MINUTE }, true)).longerSessions;
    assert.deepEqual([over?.state, over?.end_reason, over?.ended_by], ['ending', 'revoked', 'adam']);
  });

  it('are outside of policies when an operator gave them', async () => {
    await office.usePolicies([draft('rules', { effect: 'deny' })]);
    const session = await office.sessions.grant(office.by('adam'), {
      user: 'alice',
      device: 'web-1',
      account: '',
      durationMs: 30 * MINUTE,
      reason: 'x',
      options: SUDO,
    });
    assert.equal(session.policy_name, '');
    assert.deepEqual((await apply({ effect: 'deny' }, true)).longerSessions, []);
    assert.equal((await extend(session.id, MINUTE)).duration_ms, 31 * MINUTE);
  });
});
