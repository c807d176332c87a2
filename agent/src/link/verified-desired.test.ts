import { DesiredState } from '@curfew/proto';
import { silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { verifyDesired } from './verified-desired.js';

const NOBODY = { version: 1, keys: [] };
const SESSION = `ses-${'0'.repeat(20)}`;
const verified = (value: Parameters<typeof DesiredState.fromPartial>[0]) =>
  verifyDesired(DesiredState.fromPartial({ generation: 2n, incarnation: 1n, ...value }), NOBODY, silentLogger);

describe('a desired state', () => {
  it('ends what it no longer names, whatever reason a later version of the server gives for it', async () => {
    const notice = { sessionId: SESSION, endedBy: 'olga', detail: 'enough', requestId: 'r' };
    const { generation, leases, endNotices } = await verified({ endNotices: [{ ...notice, reason: 99 as never }] });
    assert.deepEqual([generation, leases], [2, []]);
    assert.deepEqual(endNotices.get(SESSION), { reason: 'revoked', detail: 'by olga: enough', requestId: 'r' });
  });

  for (const field of ['generation', 'incarnation', 'revokedEpoch'] as const)
    for (const value of [-1n, BigInt(Number.MAX_SAFE_INTEGER) + 1n, 2n ** 63n - 1n])
      it(`is refused with ${String(value)} as its ${field}: that would be a floor for ever`, async () => {
        await assert.rejects(verified({ [field]: value }), { code: 'FIELD_INVALID', message: new RegExp(field) });
      });

  it('has numbers up to the largest that can be counted', async () => {
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    const { generation, incarnation, revokedEpoch } = await verified({
      ...{ generation: most, incarnation: most, revokedEpoch: most },
    });
    assert.deepEqual([generation, incarnation, revokedEpoch], Array(3).fill(Number.MAX_SAFE_INTEGER));
  });
});
