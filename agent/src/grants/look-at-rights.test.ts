import { silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { GrantRecord } from '../ports/state-file.js';
import { lookAtRights } from './look-at-rights.js';

const ALICE = { name: 'alice', uid: 1000, sid: '', fingerprint: 'b'.repeat(64) };
const RECORD = { sessionId: 'ses-1', phase: 'held', account: ALICE } as unknown as GrantRecord;

describe('a look at rights', () => {
  const cases = [
    { name: 'ends nothing when all is as it was', account: ALICE, condition: 'live', found: [] },
    { name: 'ends one whose account is gone', account: undefined, condition: 'live', found: ['account_removed'] },
    {
      name: 'ends one whose uid is somebody else of the same name',
      account: { ...ALICE, fingerprint: 'c'.repeat(64) },
      condition: 'live',
      found: ['account_removed'],
    },
    {
      name: 'ends one whose account was renamed',
      account: { ...ALICE, name: 'bob' },
      condition: 'live',
      found: ['account_removed'],
    },
    { name: 'ends one that was changed', account: ALICE, condition: 'altered', found: ['tampered'] },
    { name: 'ends one that was removed', account: ALICE, condition: 'absent', found: ['tampered'] },
  ] as const;
  for (const { name, account, condition, found } of cases)
    it(name, async () => {
      const reasons: string[] = [];
      await lookAtRights({
        host: { inspect: async () => condition },
        accounts: {
          byKey: async () =>
            account === undefined ? undefined : { ...account, standingAdmin: false, ineligibleReason: '' },
        },
        logger: silentLogger,
        records: () => [RECORD],
        withAccounts: true,
        found: (_record, reason) => void reasons.push(reason),
      });
      assert.deepEqual(reasons, found);
    });

  it('ends nothing of an account that cannot be looked up now, and looks at the next one all the same', async () => {
    const other = { ...RECORD, sessionId: 'ses-2', account: { ...ALICE, uid: 1001 } };
    const ended: string[] = [];
    await lookAtRights({
      host: { inspect: async () => 'live' },
      accounts: {
        byKey: (key) =>
          key === 'uid:1000' ? Promise.reject(new Error('the directory is away')) : Promise.resolve(undefined),
      },
      logger: silentLogger,
      records: () => [RECORD, other],
      withAccounts: true,
      found: ({ sessionId }, reason) => void ended.push(`${sessionId} ${reason}`),
    });
    assert.deepEqual(ended, ['ses-2 account_removed']);
  });
});
