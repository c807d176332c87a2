import { MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { openRollout } from '../releases/rollouts.js';
import { endWhatMayBeOver } from './end-what-may-be-over.js';

describe('what a ledger from a backup is taken for', () => {
  let office: Office;

  beforeEach(async () => {
    office = await openOffice();
  });
  afterEach(() => office.ledger.close());

  /** Somebody who is signed in and was before, with a tool let in each time, and a token made on purpose. */
  async function signIn(userId: string): Promise<void> {
    const now = office.clock.now();
    const later = now + 100 * MINUTE;
    await office.ledger.write(async ({ db }) => {
      for (const [id, endedAtMs] of [
        ['sgn-0', now],
        ['sgn-1', null],
      ] as const)
        await db
          .insertInto('sign_in')
          .values({
            ...{ id, hash: id, user_id: userId, method: 'password', address: '', user_agent: '' },
            ...{
              created_at_ms: now,
              last_used_at_ms: now,
              expires_at_ms: later,
              fresh_at_ms: now,
              ended_at_ms: endedAtMs,
            },
            ...{ provider_sid: null, sealed_refresh_token: null, refresh_at_ms: null, sealed_id_token: null },
          })
          .execute();
      for (const [id, signInId] of [
        ['tok-0', 'sgn-0'],
        ['tok-1', 'sgn-1'],
        ['tok-2', null],
      ] as const)
        await db
          .insertInto('api_token')
          .values({
            ...{ id, hash: id, user_id: userId, label: id, scope: 'admin' as const, created_at_ms: now },
            ...{ expires_at_ms: later, revoked_at_ms: null, last_used_at_ms: null, sign_in_id: signInId },
          })
          .execute();
    });
  }

  it('gives no right without somebody who decides anew: no session, approval, sign-in or tool, and no rollout that runs', async () => {
    const { ledger, sessions, requests, clock, by } = office;
    const wish = { user: 'alice', device: 'web-1', account: '', durationMs: MINUTE, reason: 'x', options: SUDO };
    const { id } = await sessions.grant(by('adam'), wish);
    const asked = await requests.create(office.db, {
      account: office.account('alice'),
      durationMs: MINUTE,
      reason: 'x',
      options: SUDO,
    });
    await requests.approve(by('anna'), asked.id, { reason: '' });
    await signIn(by('adam').userId);
    await ledger.write(({ db }) =>
      db
        .insertInto('rollout')
        .values({
          ...{ id: 'rlt-1', version: '1.2.3', started_by: 'adam', started_at_ms: clock.now(), state: 'running' },
          ...{ reason: '', percent: 10, device_ids: '[]' },
        })
        .execute(),
    );

    const ended = await ledger.write((tx) => endWhatMayBeOver(tx, clock.now()));

    assert.deepEqual(ended, { sessions: 1, approvals: 1, joinTokens: 0, signIns: 1 });
    assert.equal((await sessions.get(id)).state, 'ending');
    assert.equal((await requests.get(asked.id)).state, 'cancelled');
    await ledger.read(async (db) => {
      const open = db.selectFrom('sign_in').select('id').where('ended_at_ms', 'is', null);
      assert.deepEqual(await open.execute(), []);
      const tokens = db.selectFrom('api_token').select('id').where('revoked_at_ms', 'is', null);
      assert.deepEqual(
        await tokens.execute(),
        [{ id: 'tok-2' }],
        'a token made on purpose stays, as docs/backup.md says',
      );
      assert.deepEqual((await openRollout(db))?.state, 'paused');
      const types = await db.selectFrom('audit_event').select('type').orderBy('idx', 'desc').limit(8).execute();
      for (const type of ['sign_in.ended', 'rollout.paused', 'session.revoked', 'request.cancelled'])
        assert.ok(
          types.some((one) => one.type === type),
          type,
        );
    });
  });
});
