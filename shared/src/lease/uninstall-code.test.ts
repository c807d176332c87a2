import assert from 'node:assert/strict';
import { CurfewError } from '../curfew-error.js';
import { signToken } from '../signed-token.js';
import { generateLeaseKey, leasePublicKey, leaseSigningKey } from './lease-token.js';
import { checkUninstallCode, signUninstallCode } from './uninstall-code.js';

const key = await leaseSigningKey(generateLeaseKey());
const stranger = await leaseSigningKey(generateLeaseKey());
const keys = { version: 1, keys: [await leasePublicKey(key)] };
const claims = { deviceKeyHash: 'a'.repeat(64), untilMs: 2_000 };
const here = { keys, deviceKeyHash: claims.deviceKeyHash, nowMs: 1_999 };

describe('an uninstall code', () => {
  it('is good for its device until its time, with white space around it', async () => {
    await checkUninstallCode(` ${signUninstallCode(claims, key)}\n`, here);
  });

  for (const [name, code, at] of [
    ['for another device', signUninstallCode({ ...claims, deviceKeyHash: 'b'.repeat(64) }, key), here],
    ['after its time', signUninstallCode(claims, key), { ...here, nowMs: 2_000 }],
    ['of a stranger', signUninstallCode(claims, stranger), here],
    ['that was signed as something else', signToken(claims, 'curfew-lease+jws', key), here],
    ['with more in it', signToken({ ...claims, more: 1 }, 'curfew-uninstall+jws', key), here],
    ['that is empty', '', here],
    ['that is no code', 'please', here],
  ] as const)
    it(`is nothing ${name}`, async () => {
      await assert.rejects(checkUninstallCode(code, at), (error: unknown) => {
        assert.ok(error instanceof CurfewError);
        assert.equal(error.code, 'UNINSTALL_CODE_INVALID');
        return true;
      });
    });
});
