import type { ConnectorFieldJson, ConnectorKindJson } from '../src/gen/api.js';

/** What is wrong with a value, as the rest of a sentence; undefined when it is well. */
type FieldRule = (value: string) => string | undefined;

/** A setting of a connector and, for those that have one, its rule. */
export type FakeField = ConnectorFieldJson & { readonly name: string; readonly rule?: FieldRule };

/** A kind of connector as the fake knows it. */
export interface FakeKind {
  readonly kind: string;
  readonly title: string;
  readonly settings: readonly FakeField[];
  readonly target: readonly FakeField[];
}

const isHost: FieldRule = (value) =>
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/.test(value)
    ? undefined
    : 'is neither the name nor the address of a host';

const isPort: FieldRule = (value) =>
  /^[1-9]\d{0,4}$/.test(value) && Number(value) < 65_536 ? undefined : 'is not a port';

const isDn: FieldRule = (value) =>
  /^[A-Za-z]+=[^,]+(,[A-Za-z]+=[^,]+)*$/.test(value) ? undefined : 'is not a distinguished name';

const YES_NO = ['yes', 'no'];

const CA = {
  name: 'ca',
  label: 'CA certificates',
  help: 'What vouches for the other side, PEM; empty for the authorities that are known to all.',
  multiline: true,
} as const;

/** What is given by an agent, without a connector. */
export const DEVICE_GROUP: FakeKind = {
  kind: 'device_group',
  title: 'Device’s local group',
  settings: [],
  target: [
    { name: 'device', label: 'Device', help: 'The id or name of the device.', required: true },
    {
      name: 'group',
      label: 'Group',
      help: 'The local group that people join for the time, such as docker.',
      required: true,
    },
  ],
};

const LDAP: FakeKind = {
  kind: 'ldap',
  title: 'LDAP or Active Directory group',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'ldaps://HOST or ldap://HOST, with a port if it is not the usual one.',
      required: true,
      rule: (value) =>
        /^ldaps?:\/\/[^/?#:@\s]+(:\d{1,5})?\/?$/i.test(value) ? undefined : 'is not ldap://HOST or ldaps://HOST',
    },
    {
      name: 'encryption',
      label: 'Encryption of ldap://',
      help: 'An ldap:// connection starts TLS before anything is said; without it, the password travels in the clear.',
      choices: ['start_tls', 'none'],
      defaultValue: 'start_tls',
    },
    CA,
    { name: 'bind_dn', label: 'Bind DN', help: 'As whom the directory is asked.', required: true },
    { name: 'password', label: 'Password', help: 'The password of the bind DN.', required: true, secret: true },
    {
      name: 'people_dn',
      label: 'Base DN of people',
      help: 'People are looked for below it.',
      required: true,
      rule: isDn,
    },
    {
      name: 'person_attribute',
      label: 'Attribute of people',
      help: 'The attribute by which a person is found, such as uid, sAMAccountName, userPrincipalName or mail.',
      defaultValue: 'uid',
    },
    {
      name: 'person_value',
      label: 'Compared with',
      help: 'What of a person in Curfew the attribute must say.',
      choices: ['user_name', 'mail', 'mail_local_part'],
      defaultValue: 'user_name',
    },
  ],
  target: [
    { name: 'group_dn', label: 'Group DN', help: 'The group that is given.', required: true, rule: isDn },
    {
      name: 'membership_attribute',
      label: 'Membership attribute',
      help: 'How the group names its members; automatic goes by its object class.',
      choices: ['automatic', 'member', 'uniqueMember', 'memberUid'],
      defaultValue: 'automatic',
    },
  ],
};

const POSTGRESQL: FakeKind = {
  kind: 'postgresql',
  title: 'PostgreSQL role',
  settings: [
    { name: 'host', label: 'Host', help: 'The name or address of the server.', required: true, rule: isHost },
    { name: 'port', label: 'Port', help: 'Where it listens.', defaultValue: '5432', rule: isPort },
    {
      name: 'database',
      label: 'Database',
      help: 'Any database of the server: roles belong to all of them.',
      defaultValue: 'postgres',
    },
    {
      name: 'user',
      label: 'User',
      help: 'A login role that has the given roles WITH ADMIN OPTION, and pg_signal_backend to end connections.',
      required: true,
    },
    { name: 'password', label: 'Password', help: 'The password of the user.', required: true, secret: true },
    {
      name: 'tls',
      label: 'TLS',
      help: 'With verify, the server must show a certificate of its host that is vouched for.',
      choices: ['verify', 'off'],
      defaultValue: 'verify',
    },
    CA,
  ],
  target: [
    { name: 'role', label: 'Role', help: 'The role that is granted.', required: true },
    {
      name: 'end_connections',
      label: 'End connections',
      help: 'Whether a person’s open connections are ended with the access, since SET ROLE keeps its rights until then.',
      choices: YES_NO,
      defaultValue: 'yes',
    },
  ],
};

const WEBHOOK: FakeKind = {
  kind: 'webhook',
  title: 'Webhook',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'Where Curfew asks and tells, signed.',
      required: true,
      rule: (value) => (/^https:\/\/[^\s/]+/u.test(value) ? undefined : 'must begin with https://'),
    },
    { name: 'secret', label: 'Signing secret', help: 'What calls are signed with.', required: true, secret: true },
  ],
  target: [
    {
      name: 'resource',
      label: 'Resource',
      help: 'What the receiver knows the resource by; it is sent with every operation.',
      required: true,
    },
  ],
};

/** The kinds, by title. */
export const FAKE_KINDS: readonly FakeKind[] = [DEVICE_GROUP, LDAP, POSTGRESQL, WEBHOOK];

/** The kind of a name, if there is one. */
export const fakeKind = (name: string | undefined): FakeKind | undefined =>
  FAKE_KINDS.find(({ kind }) => kind === name);

const fieldOut = ({ rule: _rule, ...field }: FakeField): ConnectorFieldJson => field;

/** The kind as the API sends it. */
export const kindOut = ({ kind, title, settings, target }: FakeKind): ConnectorKindJson => ({
  kind,
  title,
  settings: settings.map(fieldOut),
  target: target.map(fieldOut),
});
