import type { Random } from './random.js';

/** The kinds of id, by the three letters that every id starts with. */
export const ID_KINDS = {
  session: 'ses',
  request: 'req',
  device: 'dev',
  user: 'usr',
  joinToken: 'jtk',
  apiToken: 'tok',
  policy: 'pol',
  signIn: 'sin',
  channel: 'chn',
  delivery: 'dlv',
  resource: 'res',
  connector: 'con',
  drift: 'dft',
  recording: 'rec',
  release: 'rel',
  rollout: 'rol',
} as const;

export type IdKind = keyof typeof ID_KINDS;

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LENGTH = 20;

/** A new id of a kind, such as 'ses-' and 20 characters of Crockford base32: 100 random bits, safe in file names. */
export function newId(kind: IdKind, random: Random): string {
  const text = Array.from(random.bytes(LENGTH), (byte) => ALPHABET[byte & 31]).join('');
  return `${ID_KINDS[kind]}-${text}`;
}

/** Whether the text is a whole id of the kind. */
export function isId(kind: IdKind, text: string): boolean {
  return text.startsWith(`${ID_KINDS[kind]}-`) && /^[a-z]{3}-[0-9a-z]{20}$/.test(text);
}

/** What a typed prefix stands for: with or without the kind's letters. */
export function idPrefix(kind: IdKind, typed: string): string {
  const letters = `${ID_KINDS[kind]}-`;
  return typed.startsWith(letters) ? typed : letters + typed;
}
