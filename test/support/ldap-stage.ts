import { LDAP_KIND, type Connector, type ConnectorConfig, type Person } from '@curfew/server/parts';
import type { ContractStage } from './connector-contract.js';
import { LOCAL_PARTS, withDefaults } from './connector-parts.js';
import { CONNECTOR_ACCOUNT, SUFFIX, type SlapdServer } from './slapd-server.js';
import { TcpProxy } from './tcp-proxy.js';

/** The classes of groups that the stages have. */
export type GroupClass = 'groupOfNames' | 'groupOfUniqueNames' | 'posixGroup';

const ATTRIBUTES = { groupOfNames: 'member', groupOfUniqueNames: 'uniqueMember', posixGroup: 'memberUid' } as const;

let count = 0;

/** A group of its own in a directory, with two people of its own, reached through a network that can break. */
export interface LdapStage extends ContractStage {
  readonly groupDn: string;
  readonly attribute: string;
  readonly proxy: TcpProxy;
  readonly dnOf: (person: Person) => string;
  /** How the connector was made, to make another. */
  readonly config: ConnectorConfig;
  /** Another connector of the same resource. The caller closes it. */
  readonly another: (given?: Readonly<Record<string, string>>) => Connector;
}

/** Makes a group and its people, and the connector of it. */
export async function ldapStage(
  slapd: SlapdServer,
  groupClass: GroupClass,
  given: Readonly<Record<string, string>> = {},
): Promise<LdapStage> {
  const mark = ++count;
  const groupDn = `cn=ops ${mark},ou=groups,${SUFFIX}`;
  const attribute = ATTRIBUTES[groupClass];
  const person = (name: string): Person => ({
    userName: `${name}${mark}`,
    displayName: name,
    mailAddresses: [`${name}.${mark}@example.org`],
    subject: '',
  });
  const dnOf = ({ userName }: Person): string => `uid=${userName},ou=people,${SUFFIX}`;
  const valueOf = (who: Person): string => (attribute === 'memberUid' ? who.userName : dnOf(who));
  const people = [person('ann'), person('ben')] as const;
  await slapd.apply([...people.map((who) => personEntry(dnOf(who), who)), groupEntry(groupDn, groupClass)].join('\n'));

  const proxy = await TcpProxy.start({ target: { host: '127.0.0.1', port: slapd.port } });
  const config = {
    settings: withDefaults(LDAP_KIND.settings, {
      url: `ldap://127.0.0.1:${proxy.port}`,
      ca: slapd.ca,
      bind_dn: CONNECTOR_ACCOUNT.dn,
      people_dn: `ou=people,${SUFFIX}`,
      ...given,
    }),
    secrets: { password: CONNECTOR_ACCOUNT.password },
    target: withDefaults(LDAP_KIND.target, { group_dn: groupDn }),
  };
  const another = (changed: Readonly<Record<string, string>> = {}): Connector =>
    LDAP_KIND.open(
      { ...config, settings: { ...config.settings, ...changed }, target: { ...config.target, ...changed } },
      LOCAL_PARTS,
    );
  const connector = another();
  const modify = (operation: 'add' | 'delete', value: string): Promise<void> =>
    slapd.apply(`dn: ${groupDn}\nchangetype: modify\n${operation}: ${attribute}\n${attribute}: ${value}\n`);
  const restore = (): Promise<void> => {
    proxy.restore();
    return Promise.resolve();
  };
  return {
    connector,
    people,
    stranger: person('zoe'),
    truth: (who) => slapd.fits(groupDn, `(${attribute}=${valueOf(who)})`),
    byHand: (who, has) => modify(has ? 'add' : 'delete', valueOf(who)),
    cutOff: () => {
      proxy.cut();
      return Promise.resolve(restore);
    },
    hang: () => {
      proxy.stall();
      return Promise.resolve(restore);
    },
    forget: (who) => slapd.apply(`dn: ${dnOf(who)}\nchangetype: delete\n`),
    close: async () => {
      await connector.close();
      await proxy.close();
    },
    ...{ groupDn, attribute, proxy, dnOf, config, another },
  };
}

function personEntry(dn: string, { userName, displayName, mailAddresses }: Person): string {
  const mails = mailAddresses.map((address) => `mail: ${address}\n`).join('');
  return `dn: ${dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${userName}\ncn: ${displayName}\nsn: x\n${mails}`;
}

function groupEntry(dn: string, groupClass: GroupClass): string {
  const first = groupClass === 'posixGroup' ? 'gidNumber: 4242' : `${ATTRIBUTES[groupClass]}: ${dn}`;
  return `dn: ${dn}\nchangetype: add\nobjectClass: ${groupClass}\n${first}\n`;
}
