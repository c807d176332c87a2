import { ConnectorError, type Subject } from '../connector.js';
import { canonicalDn } from './distinguished-name.js';
import type { LdapConnection } from './ldap-connection.js';
import { memberValues, type LdapGroup } from './ldap-group.js';
import { entryId, findByAttribute, readPerson, subjectsOf, uniqueFilter, type PeopleRule } from './ldap-people.js';
import { readEntryId } from './subject-id.js';

/** The values of a membership attribute that stand for one subject. */
export interface MemberNames {
  /** What is written when the subject is given the group. Undefined when the directory does not know the person. */
  readonly present: string | undefined;
  /** What is taken away: that, and what the subject was called before. */
  readonly all: readonly string[];
}

const malformed = (subject: Subject): ConnectorError =>
  new ConnectorError('refused', `'${subject.id}' is no id of a person in this directory`);

/** How a subject is called in the group at present. Errors: ConnectorError 'refused' for an id that is none. */
export async function memberNames(
  connection: LdapConnection,
  rule: PeopleRule,
  group: LdapGroup,
  subject: Subject,
): Promise<MemberNames> {
  if (group.attribute === 'memberUid') {
    const person = await findByAttribute(connection, rule.baseDn, 'uid', [subject.id]);
    return { present: person === undefined ? undefined : subject.id, all: [subject.id] };
  }
  const id = readEntryId(subject.id);
  if (id === undefined) throw malformed(subject);
  const there = await readPerson(connection, rule, id.dn);
  if (id.unique === undefined) return { present: there?.dn, all: [there?.dn ?? id.dn] };
  const isSame = there !== undefined && entryId(there).unique?.value === id.unique.value;
  if (isSame) return { present: there.dn, all: [there.dn] };
  // Renamed, moved or removed. Whoever has the old name by now is somebody else, and keeps what they have.
  const moved = await connection.search(rule.baseDn, 'sub', uniqueFilter(id.unique), ['1.1'], 1);
  const present = moved[0]?.dn;
  const elsewhere = present === undefined ? await namesElsewhere(connection, group, subject) : [present];
  return { present, all: there === undefined ? [id.dn, ...elsewhere] : elsewhere };
}

/** How the group names somebody who is not where people are any more. */
async function namesElsewhere(
  connection: LdapConnection,
  group: LdapGroup,
  subject: Subject,
): Promise<readonly string[]> {
  const wanted = readEntryId(subject.id)?.unique?.value;
  const members = await subjectsOf(connection, await memberValues(connection, group));
  return members.filter(({ id }) => readEntryId(id)?.unique?.value === wanted).map(({ label }) => label);
}

/** Everybody whom the group names, but for the one who stands in when it may not be empty. */
export async function groupMembers(connection: LdapConnection, group: LdapGroup): Promise<readonly Subject[]> {
  const values = await memberValues(connection, group);
  if (group.attribute === 'memberUid') return values.map((value) => ({ id: value, label: value }));
  const self = canonicalDn(group.dn);
  return await subjectsOf(
    connection,
    values.filter((value) => !(group.needsMember && canonicalDn(value) === self)),
  );
}
