import { EqualityFilter, OrFilter, type Entry } from 'ldapts';
import { ConnectorError, type Person, type Subject } from '../connector.js';
import { canonicalDn, isBelow } from './distinguished-name.js';
import { textValues, type LdapConnection } from './ldap-connection.js';
import { entryIdText, type EntryId, type UniqueAttribute } from './subject-id.js';

/** How people are found in a directory. */
export interface PeopleRule {
  readonly baseDn: string;
  /** The attribute that is compared. */
  readonly attribute: string;
  /** What of a person it is compared with. */
  readonly value: 'user_name' | 'mail' | 'mail_local_part';
}

/** What is read of a person's entry beside the attribute that finds them. */
const UNIQUE: readonly UniqueAttribute[] = ['entryUUID', 'objectGUID'];

/**
 * Finds the entry of a person: the one that the admin names, by DN or by the attribute, else the one whose attribute
 * says what the rule wants. Undefined when there is none. Errors: ConnectorError 'refused' when there are several.
 */
export async function findPerson(
  connection: LdapConnection,
  rule: PeopleRule,
  person: Person,
): Promise<Entry | undefined> {
  const named = canonicalDn(person.subject);
  if (named !== undefined) return await readPerson(connection, rule, named);
  return await findByAttribute(connection, rule.baseDn, rule.attribute, wantedValues(rule, person));
}

/** The entry of a person by its DN, when it is below the place of people. */
export async function readPerson(connection: LdapConnection, rule: PeopleRule, dn: string): Promise<Entry | undefined> {
  if (!isBelow(dn, canonicalDn(rule.baseDn) ?? '')) return undefined;
  return await connection.read(dn, [rule.attribute, 'uid', ...UNIQUE]);
}

/** The one entry whose attribute has one of the values. Errors: as of `findPerson`. */
export async function findByAttribute(
  connection: LdapConnection,
  baseDn: string,
  attribute: string,
  values: readonly string[],
): Promise<Entry | undefined> {
  const asked = values.filter((value) => value.trim() !== '');
  if (asked.length === 0) return undefined;
  const filter = new OrFilter({ filters: asked.map((value) => new EqualityFilter({ attribute, value })) });
  const entries = await connection.search(baseDn, 'sub', filter, [attribute, 'uid', ...UNIQUE], 2);
  if (entries.length > 1) {
    const names = entries.map(({ dn }) => `'${dn}'`).join(' and ');
    throw new ConnectorError('refused', `the directory has several people of this name: ${names}`);
  }
  const [entry] = entries;
  return entry !== undefined && textValues(entry, attribute).some((value) => asked.some((one) => isSame(one, value)))
    ? entry
    : undefined;
}

function wantedValues(rule: PeopleRule, person: Person): readonly string[] {
  if (person.subject !== '') return [person.subject];
  if (rule.value === 'user_name') return [person.userName];
  if (rule.value === 'mail') return person.mailAddresses;
  return person.mailAddresses.map((address) => address.slice(0, address.lastIndexOf('@')));
}

/**
 * A directory takes 'ａnn' and 'K' (the sign of kelvin) for 'ann' and 'k' (RFC 4518, section 2.3); another server, where the
 * person got their name, does not. So what it found must be what was asked but for the case of ASCII.
 */
function isSame(one: string, other: string): boolean {
  const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded(one) === folded(other);
}

/** An entry's id and how it is found again. */
export function entryId(entry: Entry): EntryId {
  const dn = canonicalDn(entry.dn);
  if (dn === undefined) throw new ConnectorError('refused', `the directory gives a DN that is none: ${entry.dn}`);
  const [uuid] = textValues(entry, 'entryUUID');
  if (uuid !== undefined) return { dn, unique: { attribute: 'entryUUID', value: uuid.toLowerCase() } };
  const guid = Buffer.isBuffer(entry['objectGUID']) ? entry['objectGUID'] : undefined;
  return guid === undefined ? { dn } : { dn, unique: { attribute: 'objectGUID', value: guid.toString('hex') } };
}

/** The filter that finds an entry whatever it is called by now. */
export const uniqueFilter = ({ attribute, value }: NonNullable<EntryId['unique']>): EqualityFilter =>
  new EqualityFilter({ attribute, value: attribute === 'objectGUID' ? Buffer.from(value, 'hex') : value });

export const entrySubject = (entry: Entry): Subject => ({ id: entryIdText(entryId(entry)), label: entry.dn });

/** How many entries are asked for at the same time on one connection. */
const AT_ONCE = 32;

/** The subjects that DNs stand for. A DN whose entry is gone stands for itself. */
export async function subjectsOf(connection: LdapConnection, dns: readonly string[]): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (let at = 0; at < dns.length; at += AT_ONCE) {
    const some = dns.slice(at, at + AT_ONCE);
    const found = await Promise.all(
      some.map(async (dn): Promise<Subject> => {
        const entry = await connection.read(dn, UNIQUE);
        return entry === undefined ? { id: canonicalDn(dn) ?? dn, label: dn } : entrySubject(entry);
      }),
    );
    subjects.push(...found);
  }
  return subjects;
}
