import {
  compactVerify,
  calculateJwkThumbprint,
  createLocalJWKSet,
  errors,
  exportJWK,
  type JSONWebKeySet,
  type JWK,
} from 'jose';
import { createPublicKey, generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { CurfewError } from '../curfew-error.js';
import { leaseClaimsSchema, type LeaseClaims } from './lease.js';

/** The type in a lease's protected header: keeps a signature made for something else from passing as a lease. */
const LEASE_TYPE = 'curfew-lease+jws';
const KEY_SET_TYPE = 'curfew-lease-keys+jws';

/** A key that signs leases. Ed25519 (RFC 8037); `kid` is the JWK thumbprint (RFC 7638). */
export interface LeaseSigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

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
  return sign(claims, LEASE_TYPE, key);
}

/**
 * Returns the claims of a lease that one of the keys has signed. Says nothing about whether it applies here and now.
 * Errors: LEASE_SIGNATURE_INVALID, LEASE_MALFORMED.
 */
export async function verifyLease(token: string, keySet: LeaseKeySet): Promise<LeaseClaims> {
  const parsed = leaseClaimsSchema.safeParse(await verified(token, LEASE_TYPE, keySet));
  if (!parsed.success)
    throw new CurfewError('LEASE_MALFORMED', { problem: parsed.error.issues[0]?.message ?? 'unknown' });
  return parsed.data;
}

/** Signs the next key set with a key of the set before it. */
export function signLeaseKeySet(next: LeaseKeySet, key: LeaseSigningKey): Promise<string> {
  return sign(next, KEY_SET_TYPE, key);
}

/** Returns the next key set, if a key of `trusted` has signed it and it is newer. Errors as `verifyLease`. */
export async function verifyLeaseKeySet(token: string, trusted: LeaseKeySet): Promise<LeaseKeySet> {
  return parseLeaseKeySet(await verified(token, KEY_SET_TYPE, trusted), trusted.version + 1);
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

/** JWS compact serialization (RFC 7515, 7.1): in this thread, for a reconnecting fleet needs thousands at a time. */
async function sign(payload: object, typ: string, key: LeaseSigningKey): Promise<string> {
  const header = { alg: 'EdDSA', typ, kid: key.kid };
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${signBytes(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

async function verified(token: string, typ: string, keySet: LeaseKeySet): Promise<unknown> {
  const jwks: JSONWebKeySet = { keys: keySet.keys };
  try {
    const { payload, protectedHeader } = await compactVerify(token, createLocalJWKSet(jwks), { algorithms: ['EdDSA'] });
    if (protectedHeader.typ !== typ) throw new CurfewError('LEASE_SIGNATURE_INVALID');
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
  } catch (error) {
    if (error instanceof CurfewError) throw error;
    if (error instanceof errors.JOSEError) throw new CurfewError('LEASE_SIGNATURE_INVALID', {}, { cause: error });
    throw new CurfewError('LEASE_MALFORMED', { problem: 'it is not a signed JSON object' }, { cause: error });
  }
}
