import { EqualityFilter, type Control } from 'ldapts';
import { ConnectorError } from '../connector.js';
import { textValues, type LdapConnection } from './ldap-connection.js';

/** The attributes by which groups name their members: the first two hold DNs, the third holds user names. */
export const MEMBERSHIP_ATTRIBUTES = ['member', 'uniqueMember', 'memberUid'] as const;
export type MembershipAttribute = (typeof MEMBERSHIP_ATTRIBUTES)[number];

/** A group as the directory has it. */
export interface LdapGroup {
  readonly dn: string;
  readonly attribute: MembershipAttribute;
  /** The schema wants a member at every time (RFC 4519, sections 3.5 and 3.6). */
  readonly needsMember: boolean;
}

/** What each class of groups has; the first that fits counts. A posixGroup may be a groupOfNames besides (RFC 2307bis). */
const CLASSES: readonly { readonly name: string; readonly attribute: MembershipAttribute; readonly needs: boolean }[] =
  [
    { name: 'groupofuniquenames', attribute: 'uniqueMember', needs: true },
    { name: 'groupofnames', attribute: 'member', needs: true },
    { name: 'groupofmembers', attribute: 'member', needs: false },
    { name: 'group', attribute: 'member', needs: false },
    { name: 'posixgroup', attribute: 'memberUid', needs: false },
  ];

/**
 * Finds a group, and by its class how it names its members unless `wished` says so. Errors: ConnectorError 'refused'
 * when there is no such group, or none whose class is known.
 */
export async function findGroup(
  connection: LdapConnection,
  dn: string,
  wished: MembershipAttribute | undefined,
): Promise<LdapGroup> {
  const entry = await connection.read(dn, ['objectClass']);
  if (entry === undefined)
    throw new ConnectorError('refused', `the directory has no group '${dn}', or does not show it`);
  const classes = textValues(entry, 'objectClass').map((name) => name.toLowerCase());
  const known = CLASSES.filter(({ name }) => classes.includes(name));
  const attribute = wished ?? known[0]?.attribute;
  if (attribute === undefined) {
    const message = `'${dn}' is no group of a known class (${classes.join(', ')}): say what its membership attribute is`;
    throw new ConnectorError('refused', message);
  }
  return { dn, attribute, needsMember: known.some((one) => one.needs && one.attribute === attribute) };
}

/** Whether a group names a value among its members. The directory compares, by its own rules. */
export const hasMember = (connection: LdapConnection, group: LdapGroup, value: string): Promise<boolean> =>
  connection.fits(group.dn, new EqualityFilter({ attribute: group.attribute, value }));

/** RFC 4517, section 3.3.21: a unique member may carry a number that tells namesakes apart. */
const UNIQUE_SUFFIX = /#'[01]*'B$/;

/** Every value of a group's membership attribute, also of a directory that gives them in pieces (MS-ADTS 3.1.1.3.1.3.3). */
export async function memberValues(
  connection: LdapConnection,
  group: LdapGroup,
  controls: Control[] = [],
): Promise<readonly string[]> {
  const values: string[] = [];
  const { attribute } = group;
  for (let wanted: string | undefined = attribute; wanted !== undefined;) {
    const entry = await connection.read(group.dn, [wanted], controls);
    if (entry === undefined) throw new ConnectorError('refused', `the directory has no group '${group.dn}' any more`);
    const range = Object.keys(entry)
      .map((name) => ({ name, found: new RegExp(`^${attribute};range=(\\d+)-(\\d+|\\*)$`, 'i').exec(name) }))
      .find(({ found }) => found !== null);
    values.push(...textValues(entry, range?.name ?? attribute));
    const last = range?.found?.[2];
    wanted = last === undefined || last === '*' ? undefined : `${attribute};range=${Number(last) + 1}-*`;
  }
  return attribute === 'uniqueMember' ? values.map((value) => value.replace(UNIQUE_SUFFIX, '')) : values;
}
