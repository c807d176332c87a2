import assert from 'node:assert/strict';
import { CurfewError } from '../curfew-error.js';
import type { ErrorCode } from '../errors.js';
import { generateLeaseKey } from '../lease/lease-token.js';
import { signToken } from '../signed-token.js';
import {
  parseReleaseKeys,
  readRelease,
  releasePublicKey,
  releaseSigningKey,
  signRelease,
  verifyRelease,
  type ReleaseStatement,
} from './release-statement.js';

const key = await releaseSigningKey(generateLeaseKey());
const stranger = await releaseSigningKey(generateLeaseKey());
const keys = [await releasePublicKey(key)];
const statement: ReleaseStatement = {
  product: 'curfew-agent',
  version: '0.2.0',
  platform: 'linux',
  arch: 'x64',
  size: 1000,
  sha256: 'a'.repeat(64),
};
const refusedAs = (code: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof CurfewError);
  assert.equal(error.code, code);
  return true;
};

describe('release statement', () => {
  it('gives back what was signed', async () => {
    const token = signRelease(statement, key);
    assert.deepEqual(await verifyRelease(token, keys), statement);
    assert.deepEqual(readRelease(token), { ...statement, keyId: key.kid });
  });

  it('is refused from a stranger, also under the name of a trusted key, and without any key', async () => {
    const posing = { kid: key.kid, privateKey: stranger.privateKey };
    const invalid = refusedAs('RELEASE_SIGNATURE_INVALID');
    await assert.rejects(verifyRelease(signRelease(statement, stranger), keys), invalid);
    await assert.rejects(verifyRelease(signRelease(statement, posing), keys), invalid);
    await assert.rejects(verifyRelease(signRelease(statement, key), []), invalid);
  });

  it('is refused where the signature was made for something else', async () => {
    const lease = signToken(statement, 'curfew-lease+jws', key);
    await assert.rejects(verifyRelease(lease, keys), refusedAs('RELEASE_SIGNATURE_INVALID'));
    assert.throws(() => readRelease(lease), refusedAs('RELEASE_MALFORMED'));
  });

  it('is refused after a change of any character', async () => {
    const token = signRelease(statement, key);
    for (let at = 0; at < token.length - 1; at += 5) {
      const other = token[at] === 'A' ? 'B' : 'A';
      if (token[at] === '.') continue;
      await assert.rejects(verifyRelease(token.slice(0, at) + other + token.slice(at + 1), keys), CurfewError, `${at}`);
    }
  });

  for (const [name, change] of [
    ['another product', { product: 'curfew-server' }],
    ['a version that is no path', { version: '../1.0.0' }],
    ['a platform that nobody has', { platform: 'plan9' }],
    ['no size', { size: 0 }],
    ['a size that nobody takes', { size: 2 ** 40 }],
    ['a sum that is none', { sha256: 'A'.repeat(64) }],
    ['what is not known', { run: 'this' }],
  ] as const)
    it(`is refused with ${name}`, async () => {
      const token = signRelease({ ...statement, ...change } as ReleaseStatement, key);
      await assert.rejects(verifyRelease(token, keys), refusedAs('RELEASE_MALFORMED'));
      assert.throws(() => readRelease(token), refusedAs('RELEASE_MALFORMED'));
    });

  it('keys are read as public ones only', () => {
    assert.deepEqual(parseReleaseKeys(JSON.stringify({ keys })), keys);
    for (const text of ['', '[]', '{"keys":[{"kty":"RSA"}]}', '{"keys":[{"kty":"OKP","crv":"Ed25519"}]}'])
      assert.throws(() => parseReleaseKeys(text), refusedAs('RELEASE_MALFORMED'), text);
  });
});
