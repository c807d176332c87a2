import { Control } from 'ldapts';
import { canonicalDn } from './distinguished-name.js';
import { textValues, type LdapConnection } from './ldap-connection.js';
import { memberValues, type LdapGroup } from './ldap-group.js';

/** LDAP_SERVER_LINK_TTL_OID (MS-ADTS 3.1.1.3.4.1.23): values come as '<TTL=SECONDS,DN>' where they have an end. */
const LINK_TTL = '1.2.840.113556.1.4.2309';

/** Where Active Directory says whether memberships that end by themselves are switched on, below its configuration. */
const FEATURE =
  'CN=Privileged Access Management Feature,CN=Optional Features,CN=Directory Service,CN=Windows NT,CN=Services';

/** Whether a directory ends a membership by itself: only an Active Directory whose optional feature for it is enabled. */
export async function endsMembershipsItself(connection: LdapConnection): Promise<boolean> {
  const root = await connection.read('', ['supportedControl', 'configurationNamingContext']);
  if (root === undefined || !textValues(root, 'supportedControl').includes(LINK_TTL)) return false;
  const [configuration] = textValues(root, 'configurationNamingContext');
  if (configuration === undefined) return false;
  const feature = await connection.read(`${FEATURE},${configuration}`, ['msDS-EnabledFeatureBL']);
  return feature !== undefined && textValues(feature, 'msDS-EnabledFeatureBL').length > 0;
}

/** A value that the directory takes away by itself after so many seconds. */
export const timeLimited = (dn: string, seconds: number): string => `<TTL=${seconds},${dn}>`;

const TIME_LIMITED = /^<TTL=(\d+),(.*)>$/is;

/**
 * Whether a membership that exists ends by itself. One that does not was made by somebody else, or before the feature was
 * enabled, and is never given an end.
 */
export async function endsByItself(connection: LdapConnection, group: LdapGroup, dn: string): Promise<boolean> {
  const wanted = canonicalDn(dn);
  const values = await memberValues(connection, group, [new Control(LINK_TTL, { critical: true })]);
  return values.some((value) => {
    const found = TIME_LIMITED.exec(value);
    return found !== null && canonicalDn(found[2] ?? '') === wanted;
  });
}
