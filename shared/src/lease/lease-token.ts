import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { CurfewError } from '../curfew-error.js';
import { signToken, verifiedToken, type NamedSigningKey, type TokenRefusals } from '../signed-token.js';
import { leaseClaimsSchema, type LeaseClaims } from './lease.js';

/** The type in a lease's protected header: keeps a signature made for something else from passing as a lease. */
const LEASE_TYPE = 'curfew-lease+jws';
const KEY_SET_TYPE = 'curfew-lease-keys+jws';

const REFUSALS: TokenRefusals = { signature: 'LEASE_SIGNATURE_INVALID', malformed: 'LEASE_MALFORMED' };

/** A key that signs leases. */
export type LeaseSigningKey = NamedSigningKey;

/** The public keys that leases are checked against. `version` grows by one with each rotation. */
export interface LeaseKeySet {
  readonly version: number;
  readonly keys: JWK[];
}

export const generateLeaseKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey;

/** Names a private key by the thumbprint of its public half. */
export async function leaseSigningKey(privateKey: KeyObject): Promise<LeaseSigningKey> {
  return { kid: await calculateJwkThumbprint(await exportJWK(createPublicKey(privateKey))), privateKey };
}

/** The public half, as it stands in a key set. */
export async function leasePublicKey(key: LeaseSigningKey): Promise<JWK> {
  return { ...(await exportJWK(createPublicKey(key.privateKey))), kid: key.kid, alg: 'EdDSA', use: 'sig' };
}

/** Signs a lease: a compact JWS over the exact bytes of its claims. */
export function signLease(claims: LeaseClaims, key: LeaseSigningKey): Promise<string> {
  return Promise.resolve(signToken(claims, LEASE_TYPE, key));
}

/**
 * Returns the claims of a lease that one of the keys has signed. Says nothing about whether it applies here and now.
 * Errors: LEASE_SIGNATURE_INVALID, LEASE_MALFORMED.
 */
export async function verifyLease(token: string, keySet: LeaseKeySet): Promise<LeaseClaims> {
  const parsed = leaseClaimsSchema.safeParse(await verifiedToken(token, LEASE_TYPE, { keys: keySet.keys }, REFUSALS));
  if (!parsed.success)
    throw new CurfewError('LEASE_MALFORMED', { problem: parsed.error.issues[0]?.message ?? 'unknown' });
  return parsed.data;
}

/** Signs the next key set with a key of the set before it. */
export function signLeaseKeySet(next: LeaseKeySet, key: LeaseSigningKey): Promise<string> {
  return Promise.resolve(signToken(next, KEY_SET_TYPE, key));
}

/** Returns the next key set, if a key of `trusted` has signed it and it is newer. Errors as `verifyLease`. */
export async function verifyLeaseKeySet(token: string, trusted: LeaseKeySet): Promise<LeaseKeySet> {
  return parseLeaseKeySet(
    await verifiedToken(token, KEY_SET_TYPE, { keys: trusted.keys }, REFUSALS),
    trusted.version + 1,
  );
}

/** Reads a key set from JSON that is already trusted, such as the agent's own file. Errors: LEASE_MALFORMED. */
export function parseLeaseKeySet(value: unknown, leastVersion = 1): LeaseKeySet {
  const { version, keys } = (value ?? {}) as Partial<LeaseKeySet>;
  const usable =
    Array.isArray(keys) &&
    keys.length > 0 &&
    keys.every((key) => key.kty === 'OKP' && key.crv === 'Ed25519' && key.d === undefined);
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < leastVersion || !usable)
    throw new CurfewError('LEASE_MALFORMED', { problem: 'the key set is not usable' });
  return { version, keys };
}
