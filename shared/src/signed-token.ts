import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose';
import { sign as signBytes, type KeyObject } from 'node:crypto';
import { CurfewError } from './curfew-error.js';
import type { ErrorCode } from './errors.js';

/** A private Ed25519 key (RFC 8037) and what it is known by: the JWK thumbprint (RFC 7638) of its public half. */
export interface NamedSigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
}

/** What a kind of signed token is refused with. */
export interface TokenRefusals {
  readonly signature: ErrorCode;
  readonly malformed: ErrorCode;
}

/**
 * JWS compact serialization (RFC 7515, 7.1): in this thread, for a reconnecting fleet needs thousands at a time. The type in
 * the protected header keeps a signature that was made for one thing from passing as another.
 */
export function signToken(payload: object, typ: string, key: NamedSigningKey): string {
  const header = { alg: 'EdDSA', typ, kid: key.kid };
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${signBytes(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/** The payload of a token of the type, if one of the keys has signed it. Errors: the two given. */
export async function verifiedToken(
  token: string,
  typ: string,
  jwks: JSONWebKeySet,
  refusals: TokenRefusals,
): Promise<unknown> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, createLocalJWKSet(jwks), { algorithms: ['EdDSA'] });
    if (protectedHeader.typ !== typ) throw new CurfewError(refusals.signature);
    if (!isSpelledOnce(token)) throw new CurfewError(refusals.signature);
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)) as unknown;
  } catch (error) {
    if (error instanceof CurfewError) throw error;
    if (error instanceof errors.JOSEError) throw new CurfewError(refusals.signature, {}, { cause: error });
    throw new CurfewError(refusals.malformed, { problem: 'it is not a signed JSON object' }, { cause: error });
  }
}

/** Base64 can spell the same bytes in several ways, and a signature does not cover how it is spelled itself. */
function isSpelledOnce(token: string): boolean {
  const signature = token.slice(token.lastIndexOf('.') + 1);
  return Buffer.from(signature, 'base64url').toString('base64url') === signature;
}
