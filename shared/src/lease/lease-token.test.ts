import assert from 'node:assert/strict';
import { CompactSign } from 'jose';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { CurfewError } from '../curfew-error.js';
import type { ErrorCode } from '../errors.js';
import type { LeaseClaims } from './lease.js';
import {
  generateLeaseKey,
  leasePublicKey,
  leaseSigningKey,
  parseLeaseKeySet,
  signLease,
  signLeaseKeySet,
  type LeaseKeySet,
  verifyLease,
  verifyLeaseKeySet,
} from './lease-token.js';

const claims: LeaseClaims = {
  sessionId: `ses-${'0'.repeat(20)}`,
  deviceKeyHash: 'a'.repeat(64),
  account: { name: 'alice', uid: 1000, sid: '', fingerprint: 'b'.repeat(64) },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
  incarnation: 1,
  epoch: 7,
  nonce: 'c'.repeat(32),
  durationMs: 60_000,
  wallEndMs: 1_767_229_260_000,
  issuedAtMs: 1_767_229_200_000,
};

const key = await leaseSigningKey(generateLeaseKey());
const stranger = await leaseSigningKey(generateLeaseKey());
const keySet: LeaseKeySet = { version: 1, keys: [await leasePublicKey(key)] };

const refusedAs = (code: ErrorCode) => (error: unknown) => {
  assert.ok(error instanceof CurfewError);
  assert.equal(error.code, code);
  return true;
};

const parts = (token: string): [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, signature];
};
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('lease token', () => {
  it('gives back the claims that were signed', async () => {
    assert.deepEqual(await verifyLease(await signLease(claims, key), keySet), claims);
  });

  it('refuses a lease of a stranger, also under the name of a trusted key', async () => {
    await assert.rejects(verifyLease(await signLease(claims, stranger), keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
    const posing = { kid: key.kid, privateKey: stranger.privateKey };
    await assert.rejects(verifyLease(await signLease(claims, posing), keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
  });

  it('refuses a lease after the flip of any bit', async () => {
    const token = await signLease(claims, key);
    for (const at of [0, 1, 2]) {
      const whole = parts(token).map((part) => Buffer.from(part, 'base64url'));
      const part = whole[at] ?? Buffer.of();
      for (let bit = 0; bit < part.length * 8; bit += 1) {
        const flipped = Buffer.from(part);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const forged = whole.map((bytes, index) => (index === at ? flipped : bytes).toString('base64url')).join('.');
        await assert.rejects(
          verifyLease(forged, keySet),
          refusedAs('LEASE_SIGNATURE_INVALID'),
          `part ${at} bit ${bit}`,
        );
      }
    }
  }).timeout(60_000);

  it('refuses a lease whose signature is spelled in another way', async () => {
    const token = await signLease(claims, key);
    const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
    const last = token.slice(-1);
    // Of the last of 86 letters two bits count: fifteen others stand for the same bytes.
    const others = alphabet.filter((one, at) => one !== last && at >> 4 === alphabet.indexOf(last) >> 4);
    assert.equal(others.length, 15);
    const spelled = others.map((letter) => token.slice(0, -1) + letter);
    for (const wrong of [
      ...spelled,
      `${token}=`,
      `${token}==`,
      `${token}\n`,
      `${token.slice(0, -9)} ${token.slice(-9)}`,
    ])
      await assert.rejects(verifyLease(wrong, keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
  });

  it('refuses an unsigned lease and one signed with the public key as a secret', async () => {
    const [, payload] = parts(await signLease(claims, key));
    const none = `${encode({ alg: 'none', typ: 'curfew-lease+jws' })}.${payload}.`;
    await assert.rejects(verifyLease(none, keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
    const header = encode({ alg: 'HS256', typ: 'curfew-lease+jws', kid: key.kid });
    const mac = createHmac('sha256', String(keySet.keys[0]?.x)).update(`${header}.${payload}`).digest('base64url');
    await assert.rejects(verifyLease(`${header}.${payload}.${mac}`, keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
  });

  it('does not take a signature that was made for something else', async () => {
    const keySetToken = await signLeaseKeySet({ version: 2, keys: keySet.keys }, key);
    await assert.rejects(verifyLease(keySetToken, keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
    const lease = await signLease(claims, key);
    await assert.rejects(verifyLeaseKeySet(lease, keySet), refusedAs('LEASE_SIGNATURE_INVALID'));
  });

  it('refuses claims that are missing, of another type, or unknown', async () => {
    const sign = (value: unknown): Promise<string> =>
      new CompactSign(Buffer.from(JSON.stringify(value)))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'curfew-lease+jws', kid: key.kid })
        .sign(key.privateKey);
    const without = { ...claims, epoch: undefined };
    for (const wrong of [
      without,
      { ...claims, durationMs: -1 },
      { ...claims, durationMs: '60' },
      { ...claims, run: 'rm' },
      null,
      [],
    ])
      await assert.rejects(verifyLease(await sign(wrong), keySet), refusedAs('LEASE_MALFORMED'));
  });

  it('takes the next key set from a trusted key only, and never an older one', async () => {
    const next: LeaseKeySet = { version: 2, keys: [await leasePublicKey(stranger)] };
    assert.deepEqual(await verifyLeaseKeySet(await signLeaseKeySet(next, key), keySet), next);
    await assert.rejects(
      verifyLeaseKeySet(await signLeaseKeySet(next, stranger), keySet),
      refusedAs('LEASE_SIGNATURE_INVALID'),
    );
    const same = await signLeaseKeySet({ ...next, version: 1 }, key);
    await assert.rejects(verifyLeaseKeySet(same, keySet), refusedAs('LEASE_MALFORMED'));
  });

  it('refuses a key set that holds another kind of key or a private one', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    const open = key.privateKey.export({ format: 'jwk' });
    for (const jwk of [rsa, open]) {
      const token = await signLeaseKeySet({ version: 2, keys: [jwk] }, key);
      await assert.rejects(verifyLeaseKeySet(token, keySet), refusedAs('LEASE_MALFORMED'));
    }
  });

  it('reads key sets that have keys, of the one kind only, and a version that counts', async () => {
    const sound = await leasePublicKey(key);
    const keys = [sound];
    assert.deepEqual(parseLeaseKeySet({ version: 1, keys }), { version: 1, keys });
    for (const wrong of [
      undefined,
      null,
      { version: 1 },
      { version: 1, keys: [] },
      { version: 1, keys: { length: 1 } },
      { version: 1, keys: [sound, { ...sound, d: 'AAAA' }] },
      { version: 1, keys: [{ ...sound, kty: 'EC' }] },
      { version: 1, keys: [{ ...sound, crv: 'X25519' }] },
      { version: '1', keys },
      { version: 1.5, keys },
      { version: Number.NaN, keys },
      { version: 0, keys },
    ])
      assert.throws(() => parseLeaseKeySet(wrong), refusedAs('LEASE_MALFORMED'));
  });
});
