import { durationMs, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { draft, openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { diesBy, OFFLINE_SLACK_MS } from './offline-end.js';

describe('the end of what is offline', () => {
  const session = {
    created_at_ms: 1_000,
    expires_at_ms: 100 * MINUTE,
    held_until_ms: null,
    offline_end_after_ms: 2 * MINUTE,
  };
  for (const { name, lost, change = {}, dies } of [
    { name: 'its own while the link is up', lost: undefined, dies: 100 * MINUTE },
    { name: 'its own without a rule', lost: 5_000, change: { offline_end_after_ms: null }, dies: 100 * MINUTE },
    { name: 'that time after the link was lost', lost: 5_000, dies: 5_000 + 2 * MINUTE + OFFLINE_SLACK_MS },
    { name: 'its own when that comes first', lost: 99 * MINUTE, dies: 100 * MINUTE },
    {
      name: 'the one that the device was told before it was moved forward',
      lost: undefined,
      change: { held_until_ms: 200 * MINUTE },
      dies: 200 * MINUTE,
    },
    { name: 'counted from when it was made, not before', lost: 0, dies: 1_000 + 2 * MINUTE + OFFLINE_SLACK_MS },
  ])
    it(`is ${name}`, () => {
      assert.equal(diesBy({ ...session, ...change }, lost), dies);
    });

  describe('in the ledger', () => {
    let office: Office;
    beforeEach(async () => {
      office = await openOffice();
    });
    afterEach(() => office.ledger.close());

    it('is decided as expired when the time is over, for those under the rule alone', async () => {
      await office.usePolicies([
        draft('rules', { autoApproval: { maxDurationMs: null, hours: [] }, offlineEndAfterMs: 2 * MINUTE }),
      ]);
      const { id } = await office.access.request(office.by('alice'), {
        device: 'web-1',
        account: '',
        durationMs: 30 * MINUTE,
        reason: 'x',
        ticket: '',
        options: SUDO,
        breakGlass: false,
      });
      const ruled = await office.access.start(office.by('alice'), id);
      const free = await office.sessions.grant(office.by('adam'), {
        user: 'bert',
        device: 'web-1',
        account: '',
        durationMs: 30 * MINUTE,
        reason: 'x',
        options: SUDO,
      });
      await office.hold(office.web, [ruled.id, free.id]);
      const lost = office.clock.now();
      office.clock.advance(durationMs(2 * MINUTE + OFFLINE_SLACK_MS - 1));
      assert.deepEqual(await office.sessions.expireOffline(() => lost), []);
      assert.deepEqual(await office.sessions.expireOffline(() => undefined), []);
      office.clock.advance(durationMs(1));
      assert.deepEqual(await office.sessions.expireOffline(() => lost), [ruled.id]);
      const ended = await office.sessions.get(ruled.id);
      assert.deepEqual([ended.state, ended.end_reason], ['ending', 'expired']);
      assert.equal((await office.sessions.get(free.id)).state, 'active');
    });

    describe('of a session that was shortened', () => {
      const BUDGET = {
        ...{ sessionsPerDay: 0, sessionsPerWeek: 0, minutesPerDay: 0, minutesPerWeek: 0, coolDownMs: 0 },
        oneAtATime: true,
      };
      const rules = (maxDurationMs: number) =>
        draft('rules', { autoApproval: { maxDurationMs: null, hours: [] }, budget: BUDGET, maxDurationMs });
      const ask = (minutes: number) =>
        office.access.request(office.by('alice'), {
          ...{ device: 'web-1', account: '', reason: 'x', ticket: '', options: SUDO, breakGlass: false },
          durationMs: minutes * MINUTE,
        });
      let id: string;

      beforeEach(async () => {
        await office.usePolicies([rules(30 * MINUTE)]);
        id = (await office.access.start(office.by('alice'), (await ask(30)).id)).id;
        await office.hold(office.web, [id]);
        const lowered = { policies: [rules(10 * MINUTE)], prune: true, dryRun: false, shorten: true, etag: '' };
        await office.policies.apply(office.by('adam'), lowered);
      });

      /** When it ends by the ledger, and when it is gone where its device is not told: minutes from its beginning. */
      const ends = async (): Promise<number[]> => {
        const session = await office.sessions.get(id);
        const from = session.created_at_ms;
        return [session.expires_at_ms - from, diesBy(session, undefined) - from].map((ms) => ms / MINUTE);
      };

      it('is the former one, until the device holds it with the new end', async () => {
        assert.deepEqual(await ends(), [10, 30]);
        await office.hold(office.web, [id]);
        assert.deepEqual(await ends(), [10, 30], 'it holds it as before');
        const { epoch } = await office.sessions.get(id);
        await office.hold(office.web, [id], epoch);
        assert.deepEqual(await ends(), [10, 10]);
      });

      it('keeps another one away for as long as the device may hold it', async () => {
        office.clock.advance(durationMs(11 * MINUTE));
        await office.sessions.expireDue();
        assert.equal((await office.sessions.get(id)).state, 'ending');
        const before = await office.picture();
        await assert.rejects(ask(5), { code: 'BUDGET_EXHAUSTED' });
        assert.equal(await office.picture(), before);
        office.clock.advance(durationMs(20 * MINUTE));
        assert.equal((await ask(5)).state, 'approved');
      });
    });

    it('stands in the lease that the device gets', async () => {
      await office.usePolicies([
        draft('rules', { autoApproval: { maxDurationMs: null, hours: [] }, offlineEndAfterMs: 2 * MINUTE }),
      ]);
      const request = await office.requests.create(office.web, {
        account: office.account('alice'),
        durationMs: MINUTE,
        reason: 'x',
        options: SUDO,
      });
      await office.sessions.start(office.web, office.account('alice'), request.id);
      const [desired] = await office.devices.desired([office.web.id]);
      assert.deepEqual(
        desired?.sessions.map(({ offlineEndAfterMs }) => offlineEndAfterMs),
        [2 * MINUTE],
      );
    });
  });
});
