import { ConnectorError, type Person, type Subject } from '../connector.js';
import type { ScimUser } from './scim-answers.js';
import type { ScimDirectory } from './scim-directory.js';
import type { ScimAttribute } from './scim-filter.js';
import type { ScimDialect } from './scim-patch.js';

/** What people are found by. */
export const PEOPLE_BY = ['user_name', 'email', 'external_id'] as const;
export type PeopleBy = (typeof PEOPLE_BY)[number];

/** One way of finding: what is asked for, and what an answer must have. */
interface Way {
  readonly attribute: (dialect: ScimDialect) => ScimAttribute;
  readonly values: (person: Person) => readonly string[];
  readonly fits: (user: ScimUser, value: string) => boolean;
}

/** User names and mail addresses have no case (RFC 7643, section 4.1.1), ids of others have one. */
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const WAYS: Readonly<Record<PeopleBy, Way>> = {
  user_name: {
    attribute: () => 'userName',
    values: ({ userName }) => [userName],
    fits: (user, value) => same(user.userName, value),
  },
  email: {
    attribute: (dialect) => (dialect === 'entra' ? 'emails[type eq "work"].value' : 'emails.value'),
    values: ({ mailAddresses }) => mailAddresses,
    fits: (user, value) => user.emails.some((address) => same(address, value)),
  },
  external_id: {
    attribute: () => 'externalId',
    values: ({ userName }) => [userName],
    fits: (user, value) => user.externalId === value,
  },
};

/**
 * The one whom a server knows by the subject that an admin gave, else by the person's own name or addresses. Answers
 * that do not fit what was asked are dropped: some servers give everybody to a filter that they do not understand.
 * Errors: ConnectorError 'refused' when several fit, or the one is not active.
 */
export async function findPerson(
  directory: ScimDirectory,
  by: PeopleBy,
  dialect: ScimDialect,
  person: Person,
  signal: AbortSignal,
): Promise<Subject | undefined> {
  const { attribute, values, fits } = WAYS[by];
  const found = new Map<string, ScimUser>();
  for (const value of person.subject === '' ? values(person) : [person.subject]) {
    if (value === '') continue;
    for (const user of await directory.users(attribute(dialect), value, signal))
      if (fits(user, value)) found.set(user.id, user);
  }
  const [user, another] = found.values();
  if (user === undefined) return undefined;
  if (another !== undefined) throw new ConnectorError('refused', 'several people there fit');
  if (!user.active) throw new ConnectorError('refused', 'the person is not active there');
  return { id: user.id, label: user.userName || user.displayName || user.id };
}
