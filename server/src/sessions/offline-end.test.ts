import { durationMs, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { draft, openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { diesBy, OFFLINE_SLACK_MS } from './offline-end.js';

describe('the end of what is offline', () => {
  const session = { created_at_ms: 1_000, expires_at_ms: 100 * MINUTE, offline_end_after_ms: 2 * MINUTE };
  for (const { name, lost, change = {}, dies } of [
    { name: 'its own while the link is up', lost: undefined, dies: 100 * MINUTE },
    { name: 'its own without a rule', lost: 5_000, change: { offline_end_after_ms: null }, dies: 100 * MINUTE },
    { name: 'that time after the link was lost', lost: 5_000, dies: 5_000 + 2 * MINUTE + OFFLINE_SLACK_MS },
    { name: 'its own when that comes first', lost: 99 * MINUTE, dies: 100 * MINUTE },
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
