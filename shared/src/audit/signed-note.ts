import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** A key that signs notes, by the C2SP signed-note specification: Ed25519, named. */
export interface NoteSigningKey {
  readonly name: string;
  readonly privateKey: KeyObject;
}

const ED25519 = 0x01;
/** The DER prefix of an Ed25519 SubjectPublicKeyInfo (RFC 8410, section 4); 32 key bytes follow. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** The verification key as text: 'name+keyid+base64', C2SP signed-note. */
export function noteVerificationKey(key: NoteSigningKey): string {
  const raw = rawPublicKey(createPublicKey(key.privateKey));
  return `${key.name}+${keyId(key.name, raw).toString('hex')}+${Buffer.concat([Buffer.of(ED25519), raw]).toString('base64')}`;
}

/** The ids of signing keys: finding the public half takes longer than signing, and every commit of the ledger signs. */
const idsOfKeys = new WeakMap<NoteSigningKey, Buffer>();

function idOfKey(key: NoteSigningKey): Buffer {
  const id = idsOfKeys.get(key) ?? keyId(key.name, rawPublicKey(createPublicKey(key.privateKey)));
  idsOfKeys.set(key, id);
  return id;
}

/** Signs a text that ends in a line break. */
export function signNote(text: string, key: NoteSigningKey): string {
  const signature = Buffer.concat([idOfKey(key), sign(null, Buffer.from(text), key.privateKey)]);
  return `${text}\n\u2014 ${key.name} ${signature.toString('base64')}\n`;
}

/** Returns the text of a note that carries a valid signature by the key, or undefined. Every line must be well-formed. */
export function openNote(note: string, verificationKey: string): string | undefined {
  const key = verificationKeyOf(verificationKey);
  const end = note.lastIndexOf('\n\n');
  if (key === undefined || end < 0 || !note.endsWith('\n')) return undefined;
  const text = note.slice(0, end + 1);
  let isSigned = false;
  for (const line of note.slice(end + 2, -1).split('\n')) {
    const [, name, encoded = ''] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    // Base64 can be spelled in several ways; a note has one.
    if (name === undefined || bytes.toString('base64') !== encoded) return undefined;
    if (name !== key.name || !bytes.subarray(0, 4).equals(keyId(key.name, key.raw))) continue;
    isSigned ||= verify(null, Buffer.from(text), key.publicKey, bytes.subarray(4));
  }
  return isSigned ? text : undefined;
}

interface VerificationKey {
  readonly name: string;
  readonly raw: Buffer;
  readonly publicKey: KeyObject;
}

/** Verification keys by their texts: to make one takes longer than to verify, and a process has to do with very few. */
const madeKeys = new Map<string, VerificationKey>();
const MOST_MADE = 8;

function verificationKeyOf(text: string): VerificationKey | undefined {
  const key = madeKeys.get(text) ?? parseVerificationKey(text);
  if (key !== undefined && madeKeys.size < MOST_MADE) madeKeys.set(text, key);
  return key;
}

function parseVerificationKey(text: string): VerificationKey | undefined {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const raw = bytes.subarray(1);
  if (bytes.toString('base64') !== encoded) return undefined;
  if (bytes[0] !== ED25519 || raw.length !== 32 || keyId(name, raw).toString('hex') !== id) return undefined;
  return {
    name,
    raw,
    publicKey: createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' }),
  };
}

const rawPublicKey = (key: KeyObject): Buffer =>
  key.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);

const keyId = (name: string, raw: Buffer): Buffer =>
  createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(raw).digest().subarray(0, 4);
