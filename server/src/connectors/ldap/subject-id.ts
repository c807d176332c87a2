import { canonicalDn } from './distinguished-name.js';

/** The attribute by which a directory tells an entry from all others for good: RFC 4530, and Active Directory's own. */
export type UniqueAttribute = 'entryUUID' | 'objectGUID';

/** An entry as a subject's id tells of it. */
export interface EntryId {
  /** Canonical. */
  readonly dn: string;
  /** Outlives a rename. Absent where the directory has none, or has lost the entry. */
  readonly unique?: { readonly attribute: UniqueAttribute; readonly value: string };
}

const UNIQUE = /;(entryUUID|objectGUID)=([0-9a-f-]{32,36})$/;

/** The text of an entry's id. A ';' within the DN is always escaped, so the parts cannot be mixed up. */
export const entryIdText = ({ dn, unique }: EntryId): string =>
  unique === undefined ? dn : `${dn};${unique.attribute}=${unique.value}`;

/** Reads what `entryIdText` wrote. Undefined for any other text. */
export function readEntryId(text: string): EntryId | undefined {
  const found = UNIQUE.exec(text);
  const name = found === null ? text : text.slice(0, found.index);
  const dn = canonicalDn(name);
  if (dn === undefined || dn !== name) return undefined;
  if (found === null) return { dn };
  return { dn, unique: { attribute: found[1] as UniqueAttribute, value: found[2] ?? '' } };
}
