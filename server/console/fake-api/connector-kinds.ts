import type { ConnectorFieldJson, ConnectorKindJson } from '../src/gen/api.js';

/** What is wrong with a value, as the rest of a sentence; undefined when it is well. */
export type FieldRule = (value: string) => string | undefined;

/** A setting of a connector and, for those that have one, its rule. */
export type FakeField = ConnectorFieldJson & { readonly name: string; readonly rule?: FieldRule };

/** A kind of connector as the fake knows it. */
export interface FakeKind {
  readonly kind: string;
  readonly title: string;
  readonly settings: readonly FakeField[];
  readonly target: readonly FakeField[];
}

const addressOf =
  (...schemes: readonly string[]): FieldRule =>
  (value) =>
    schemes.some((scheme) => new RegExp(`^${scheme}://[^\\s/]+`, 'u').test(value))
      ? undefined
      : `is not an address that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;

const portNumber: FieldRule = (value) =>
  /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536 ? undefined : 'is not a port, 1 to 65535';

/** The kinds, by title. */
export const FAKE_KINDS: readonly FakeKind[] = [
  {
    kind: 'ldap',
    title: 'LDAP or Active Directory group',
    settings: [
      {
        name: 'url',
        label: 'Address',
        help: 'Where the directory answers, such as ldaps://ldap.example.com.',
        required: true,
        rule: addressOf('ldap', 'ldaps'),
      },
      {
        name: 'start_tls',
        label: 'StartTLS',
        help: 'Whether a plain connection is turned into TLS before anything else is said.',
        choices: ['required', 'off'],
        defaultValue: 'required',
      },
      {
        name: 'ca',
        label: 'Certificate authority',
        help: 'The authority that the certificate must come from, as PEM. Empty means those that the machine trusts.',
        multiline: true,
      },
      {
        name: 'bind_dn',
        label: 'Bind DN',
        help: 'Who Curfew is in the directory.',
        required: true,
      },
      {
        name: 'bind_password',
        label: 'Bind password',
        help: 'That entry’s password.',
        required: true,
        secret: true,
      },
      {
        name: 'user_base',
        label: 'Base of people',
        help: 'Where people are looked for.',
        required: true,
      },
      {
        name: 'user_attribute',
        label: 'Attribute of people',
        help: 'The attribute that holds the name that Curfew knows a person by.',
        defaultValue: 'uid',
      },
    ],
    target: [
      {
        name: 'group',
        label: 'Group',
        help: 'The group’s distinguished name, such as cn=ops,ou=groups,dc=example,dc=com.',
        required: true,
        rule: (value) =>
          /^[A-Za-z]+=[^,]+(,[A-Za-z]+=[^,]+)*$/.test(value) ? undefined : 'is not a distinguished name',
      },
      {
        name: 'member_attribute',
        label: 'Attribute of members',
        help: 'How the group names its members.',
        choices: ['member', 'uniqueMember', 'memberUid'],
        defaultValue: 'member',
      },
    ],
  },
  {
    kind: 'postgresql',
    title: 'PostgreSQL role',
    settings: [
      { name: 'host', label: 'Host', help: 'Where the server answers.', required: true },
      { name: 'port', label: 'Port', help: 'Its port.', defaultValue: '5432', rule: portNumber },
      { name: 'database', label: 'Database', help: 'The database to connect to.', defaultValue: 'postgres' },
      { name: 'user', label: 'User', help: 'A role that may grant the roles of its resources.', required: true },
      { name: 'password', label: 'Password', help: 'That role’s password.', required: true, secret: true },
      {
        name: 'tls',
        label: 'TLS',
        help: 'How sure Curfew must be of the server.',
        choices: ['verify-full', 'require', 'off'],
        defaultValue: 'verify-full',
      },
    ],
    target: [
      { name: 'role', label: 'Role', help: 'The role that is granted.', required: true },
      {
        name: 'end_connections',
        label: 'End connections',
        help: 'Whether the user’s open connections are ended with the access.',
        choices: ['yes', 'no'],
        defaultValue: 'no',
      },
    ],
  },
  {
    kind: 'webhook',
    title: 'Webhook',
    settings: [
      {
        name: 'url',
        label: 'Address',
        help: 'Where Curfew asks and tells, signed.',
        required: true,
        rule: addressOf('https'),
      },
      {
        name: 'secret',
        label: 'Signing secret',
        help: 'What calls are signed with.',
        required: true,
        secret: true,
      },
    ],
    target: [{ name: 'resource', label: 'Resource', help: 'What the other side calls it.', required: true }],
  },
];

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
