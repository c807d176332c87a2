import { ConnectionPool } from '../connection-pool.js';
import type { ConnectorField, ConnectorKind, FieldValues } from '../connector-kind.js';
import { certificateProblem } from '../field-problems.js';
import { canonicalDn } from './distinguished-name.js';
import { LdapConnection, type DirectoryAddress } from './ldap-connection.js';
import { LdapConnector } from './ldap-connector.js';
import { MEMBERSHIP_ATTRIBUTES } from './ldap-group.js';

const dnProblem = (value: string): string | undefined =>
  canonicalDn(value) === undefined ? 'is not a distinguished name' : undefined;

const URL_FORM = /^ldaps?:\/\/(\[[0-9a-fA-F:.]+\]|[^/?#:@\s]+)(:\d{1,5})?\/?$/i;

const SETTINGS: readonly ConnectorField[] = [
  {
    name: 'url',
    label: 'Address',
    help: 'Either ldaps://HOST or ldap://HOST, with a port if it is not the usual one.',
    required: true,
    problem: (value) =>
      URL_FORM.test(value) && URL.canParse(value) ? undefined : 'is not ldap://HOST or ldaps://HOST',
  },
  {
    name: 'encryption',
    label: 'Encryption of ldap://',
    help: 'An ldap:// connection starts TLS before anything is said; without it, the password travels in the clear.',
    choices: ['start_tls', 'none'],
    defaultValue: 'start_tls',
    changesAnyTime: true,
  },
  {
    name: 'ca',
    label: 'CA certificates',
    help: 'What vouches for the directory, PEM; empty for the authorities that are known to all.',
    multiline: true,
    problem: certificateProblem,
    changesAnyTime: true,
  },
  { name: 'bind_dn', label: 'Bind DN', help: 'As whom the directory is asked.', required: true, changesAnyTime: true },
  { name: 'password', label: 'Password', help: 'The password of the bind DN.', required: true, secret: true },
  {
    name: 'people_dn',
    label: 'Base DN of people',
    help: 'People are looked for below it.',
    required: true,
    problem: dnProblem,
  },
  {
    name: 'person_attribute',
    label: 'Attribute of people',
    help: 'The attribute by which a person is found, such as uid, sAMAccountName, userPrincipalName or mail.',
    defaultValue: 'uid',
    problem: (value) => (/^[A-Za-z][A-Za-z0-9-]*$/.test(value) ? undefined : 'is not the name of an attribute'),
    changesAnyTime: true,
  },
  {
    name: 'person_value',
    label: 'Compared with',
    help: 'What of a person in Curfew the attribute must say.',
    choices: ['user_name', 'mail', 'mail_local_part'],
    defaultValue: 'user_name',
    changesAnyTime: true,
  },
];

const TARGET: readonly ConnectorField[] = [
  { name: 'group_dn', label: 'Group DN', help: 'The group that is given.', required: true, problem: dnProblem },
  {
    name: 'membership_attribute',
    label: 'Membership attribute',
    help: 'How the group names its members; automatic goes by its object class.',
    choices: ['automatic', ...MEMBERSHIP_ATTRIBUTES],
    defaultValue: 'automatic',
  },
];

/** Groups of LDAP directories and of Active Directory. */
export const LDAP_KIND: ConnectorKind = {
  kind: 'ldap',
  title: 'LDAP or Active Directory group',
  settings: SETTINGS,
  target: TARGET,
  callsAtOnce: 4,
  callLimitMs: 20_000,
  open: ({ settings, secrets, target }, { clock, guard }) => {
    const address = directoryAddress(settings, secrets);
    const pool = new ConnectionPool<LdapConnection>({
      clock,
      open: (signal) => LdapConnection.open(address, guard, signal),
      isOpen: (connection) => connection.isOpen,
      answers: (connection) => connection.answers,
      destroy: (connection) => connection.destroy(),
    });
    const resource = {
      groupDn: target['group_dn'] ?? '',
      attribute: MEMBERSHIP_ATTRIBUTES.find((name) => name === target['membership_attribute']),
      people: {
        baseDn: settings['people_dn'] ?? '',
        attribute: settings['person_attribute'] ?? '',
        value: personValue(settings['person_value'] ?? ''),
      },
      findings:
        address.encryption === 'none'
          ? ['The connection is not encrypted: others can read the password on the way.']
          : [],
    };
    return new LdapConnector(resource, pool, clock);
  },
};

function directoryAddress(settings: FieldValues, secrets: FieldValues): DirectoryAddress {
  const url = new URL(settings['url'] ?? '');
  const isLdaps = url.protocol === 'ldaps:';
  const plain = settings['encryption'] === 'none' ? 'none' : 'start_tls';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (isLdaps ? 636 : 389) : Number(url.port),
    encryption: isLdaps ? 'ldaps' : plain,
    ca: settings['ca'] ?? '',
    bindDn: settings['bind_dn'] ?? '',
    password: secrets['password'] ?? '',
  };
}

const personValue = (text: string): 'user_name' | 'mail' | 'mail_local_part' =>
  text === 'mail' || text === 'mail_local_part' ? text : 'user_name';
