import { CurfewError, durationMs, MINUTE, type ErrorCode } from '@curfew/shared';
import { sql } from 'kysely';
import assert from 'node:assert/strict';
import { draft, openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import type { PolicySpec } from '../policies/policy-spec.js';
import { confirmGone, confirmHeld, noteIntent } from './grant-moves.js';
import { giveDriftAgain } from './settle-drift.js';

const SUBJECT = { id: 'cn=alice', label: 'alice' };

describe('what was removed by hand and is given again', () => {
  let office: Office;
  beforeEach(async () => {
    office = await openOffice();
    await office.ledger.write(async ({ db }) => {
      await sql`insert into connector (id, name, name_key, kind, settings, secrets, disabled, created_at_ms)
        values ('con-1', 'directory', 'directory', 'fake', '{}', '{}', 0, 0)`.execute(db);
      await sql`insert into resource (id, name, name_key, description, kind, connector_id, target, disabled, created_at_ms)
        values ('res-1', 'ops', 'ops', '', 'fake', 'con-1', '{}', 0, 0)`.execute(db);
    });
  });
  afterEach(() => office.ledger.close());

  /** A session of 30 minutes under a policy, cut after 20 of them; gives the difference. */
  async function cut(spec: Partial<PolicySpec>): Promise<string> {
    const { ledger, clock } = office;
    const autoApproval = { maxDurationMs: null, hours: [] };
    await office.usePolicies([draft('rules', { target: { kind: 'resource', names: ['ops'] }, autoApproval, ...spec })]);
    const wish = { device: '', resource: 'ops', account: '', durationMs: 30 * MINUTE, reason: 'x', ticket: '' };
    const { session_id: id } = await office.access.request(office.by('alice'), {
      ...wish,
      options: SUDO,
      breakGlass: false,
    });
    assert.ok(id);
    const { expires_at_ms: untilMs } = await office.sessions.get(id);
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));
    await ledger.write((tx) => confirmHeld(tx, id, { untilMs, doubtfulUntilMs: 0 }, clock.now()));
    clock.advance(durationMs(20 * MINUTE));
    await office.sessions.revoke(office.by('olga'), { ids: [id] }, 'gone');
    const drift = { id: 'dft-00000000000000000000', resource_id: 'res-1', kind: 'removed_by_hand' as const };
    await ledger.write(async (tx) => {
      await confirmGone(tx, id, clock.now());
      const more = { subject_id: SUBJECT.id, label: SUBJECT.label, session_id: id, seen_at_ms: clock.now() };
      await tx.db
        .insertInto('resource_drift')
        .values({ ...drift, ...more })
        .execute();
    });
    return drift.id;
  }
  const giveAgain = (given: string) =>
    office.ledger.write((tx) =>
      giveDriftAgain(tx, office.context, { caller: office.by('adam'), given, reason: 'a mistake' }),
    );
  const hold = (id: string) =>
    office.ledger.write(async (tx) => {
      await noteIntent(tx, id, SUBJECT);
      await confirmHeld(tx, id, { untilMs: 0, doubtfulUntilMs: 0 }, office.clock.now());
    });
  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = await office.picture();
    await assert.rejects(call, (error: unknown) => error instanceof CurfewError && error.code === code);
    assert.equal(await office.picture(), before);
  }

  it('keeps its policy, whose longest counts from the beginning of what was cut', async () => {
    const again = await giveAgain(await cut({ maxDurationMs: 40 * MINUTE, offlineEndAfterMs: 5 * MINUTE }));
    assert.deepEqual(
      [again.policy_name, again.policy_version, again.duration_ms, again.longest_ms, again.offline_end_after_ms],
      ['rules', 1, 10 * MINUTE, 20 * MINUTE, 5 * MINUTE],
    );
    await hold(again.id);
    const extend = (byMs: number) => office.sessions.extend(office.by('anna'), again.id, byMs);
    await refused('DURATION_TOO_LONG', () => extend(11 * MINUTE));
    assert.equal((await extend(10 * MINUTE)).duration_ms, 20 * MINUTE);
  });

  it('is not given by somebody who was disabled, or has lost the role, before their call had its turn', async () => {
    const drift = await cut({});
    await office.users.update(office.by('olga'), 'adam', { role: 'approver' });
    await refused('METHOD_NOT_ALLOWED', () => giveAgain(drift));
    await office.users.update(office.by('olga'), 'adam', { role: 'admin', disabled: true });
    await refused('USER_DISABLED', () => giveAgain(drift));
  });

  it('is not extended where its policy forbids that', async () => {
    const again = await giveAgain(await cut({ noExtension: true }));
    await hold(again.id);
    await refused('EXTENSION_NOT_ALLOWED', () => office.sessions.extend(office.by('anna'), again.id, MINUTE));
  });

  it('counts in the budget of its policy', async () => {
    const none = { sessionsPerDay: 0, sessionsPerWeek: 0, minutesPerDay: 0, minutesPerWeek: 0, coolDownMs: 0 };
    const budget = { ...none, minutesPerDay: 35, oneAtATime: false };
    const again = await giveAgain(await cut({ budget }));
    await hold(again.id);
    await refused('BUDGET_EXHAUSTED', () => office.sessions.extend(office.by('anna'), again.id, 6 * MINUTE));
  });
});
