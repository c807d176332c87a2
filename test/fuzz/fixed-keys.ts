import { leasePublicKey, leaseSigningKey, type LeaseKeySet, type NoteSigningKey } from '@curfew/shared';
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';

/** The DER before the 32 bytes of an Ed25519 private key (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The same key in every run, so that what it has signed can be kept. */
const fixedKey = (name: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, createHash('sha256').update(`fuzzing ${name}`).digest()]),
    format: 'der',
    type: 'pkcs8',
  });

/** Signs what is genuine. */
export const SIGNER = await leaseSigningKey(fixedKey('signer'));
/** Signs what a rotation has led to. */
export const NEXT_SIGNER = await leaseSigningKey(fixedKey('next signer'));
/** Trusted by nobody. */
export const STRANGER = await leaseSigningKey(fixedKey('stranger'));
export const TRUSTED: LeaseKeySet = { version: 1, keys: [await leasePublicKey(SIGNER)] };
export const NEXT_TRUSTED: LeaseKeySet = { version: 2, keys: [await leasePublicKey(NEXT_SIGNER)] };
export const NOTE_KEY: NoteSigningKey = { name: 'curfew/fuzz', privateKey: fixedKey('notes') };
