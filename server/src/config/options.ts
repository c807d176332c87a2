/** One option of the server: where it stands in the YAML file, and how it reads. */
export interface ConfigOption {
  /** The path in the file, such as 'sessions.max_duration'; in the environment CURFEW_SESSIONS_MAX_DURATION. */
  readonly name: string;
  /** 'optional' is a text that may be empty; 'origin' is empty or such as 'https://curfew.example.com'; 'listen' is empty or HOST:PORT; 'networks' is a list of addresses and networks. */
  readonly type:
    | 'text'
    | 'optional'
    | 'origin'
    | 'address'
    | 'file'
    | 'folder'
    | 'port'
    | 'listen'
    | 'duration'
    | 'boolean'
    | 'list'
    | 'networks'
    | 'choice'
    | 'count';
  /** Whether the value is never shown. */
  readonly secret?: boolean;
  readonly choices?: readonly string[];
  readonly fallback: string;
  readonly doc: string;
}

/** Every option. The reference page is generated from this table. */
export const CONFIG_OPTIONS = [
  {
    name: 'data_dir',
    type: 'text',
    fallback: '/var/lib/curfew-server',
    doc: 'The folder of the ledger and the keys. Only its owner may enter it.',
  },
  {
    name: 'ledger.url',
    type: 'optional',
    secret: true,
    fallback: '',
    doc: 'The PostgreSQL database of the ledger, such as postgres://curfew:PASSWORD@db.example.com/curfew?sslmode=verify-full. Several servers may share it. Empty means the embedded ledger in data_dir.',
  },
  {
    name: 'ledger.key_file',
    type: 'file',
    fallback: '',
    doc: 'The file with the key that seals what servers share in PostgreSQL, the same for all: 32 bytes in base64, made by openssl rand -base64 32. Needed with ledger.url.',
  },
  { name: 'grpc.host', type: 'text', fallback: '0.0.0.0', doc: 'The address to listen on, for agents and the API.' },
  { name: 'grpc.port', type: 'port', fallback: '7443', doc: 'The port to listen on. 0 takes a free one.' },
  {
    name: 'grpc.names',
    type: 'list',
    fallback: '',
    doc: 'More names and addresses for the server certificate, separated by commas.',
  },
  {
    name: 'grpc.connection_age',
    type: 'duration',
    fallback: '1h',
    doc: 'With ledger.url: after about so long an agent links anew, so that agents spread over all servers.',
  },
  {
    name: 'http.host',
    type: 'text',
    fallback: '127.0.0.1',
    doc: 'The address to listen on, for the console and the JSON API. Any other than loopback is served with TLS only.',
  },
  { name: 'http.port', type: 'port', fallback: '7080', doc: 'The port of the console. 0 takes a free one.' },
  {
    name: 'http.names',
    type: 'list',
    fallback: '',
    doc: 'Names by which browsers may call the console, besides those of loopback, the host name, and the address called.',
  },
  {
    name: 'http.public_url',
    type: 'origin',
    fallback: '',
    doc: 'Where browsers find the console, such as https://curfew.example.com: for a proxy in front, OIDC and links. Empty means as it is called.',
  },
  {
    name: 'http.trusted_proxies',
    type: 'networks',
    fallback: '',
    doc: 'Addresses and networks of proxies in front of the console, such as 127.0.0.1 or 10.0.0.0/8: who calls through them is who X-Forwarded-For says. Guesses are counted by that address.',
  },
  {
    name: 'http.tls',
    type: 'choice',
    choices: ['auto', 'on'],
    fallback: 'auto',
    doc: 'auto: plain HTTP on loopback, TLS elsewhere. on: TLS always.',
  },
  {
    name: 'http.certificate',
    type: 'optional',
    fallback: '',
    doc: "A file with the console's certificate and its chain, PEM, read anew every day. Empty means one of the server's own CA.",
  },
  { name: 'http.key', type: 'optional', fallback: '', doc: 'The file with the private key of http.certificate, PEM.' },
  {
    name: 'sign_in.idle_limit',
    type: 'duration',
    fallback: '1h',
    doc: 'A sign-in to the console ends when nothing was done with it for this long. Open streams do not count as doing.',
  },
  {
    name: 'sign_in.limit',
    type: 'duration',
    fallback: '12h',
    doc: 'A sign-in to the console ends after this in any case.',
  },
  {
    name: 'sign_in.fresh_for',
    type: 'duration',
    fallback: '15m',
    doc: 'How long the console calls a sign-in fresh. A policy may ask for less or more.',
  },
  {
    name: 'sign_in.tool_limit',
    type: 'duration',
    fallback: '12h',
    doc: 'How long the API token works that curfewctl login gets when it is approved in the console.',
  },
  {
    name: 'sign_in.one_time_password_life',
    type: 'duration',
    fallback: '7d',
    doc: 'How long a one-time password works that an admin gives to somebody. That of the first owner has no end.',
  },
  {
    name: 'oidc.issuer',
    type: 'optional',
    fallback: '',
    doc: 'The issuer of an OpenID Connect provider that people sign in at, such as https://login.example.com. Empty means none.',
  },
  { name: 'oidc.client_id', type: 'optional', fallback: '', doc: 'The name of this server at the provider.' },
  {
    name: 'oidc.client_secret',
    type: 'optional',
    secret: true,
    fallback: '',
    doc: 'The secret of this server at the provider. Empty means a client without one, which PKCE alone protects.',
  },
  {
    name: 'oidc.scopes',
    type: 'list',
    fallback: 'openid,profile,email,offline_access',
    doc: 'What the provider is asked for. offline_access gives the token with which it is asked again.',
  },
  { name: 'oidc.groups_claim', type: 'text', fallback: 'groups', doc: "The claim with the person's groups." },
  {
    name: 'oidc.role_map',
    type: 'list',
    fallback: '',
    doc: 'Which group makes which role, such as it-admins=admin,helpdesk=approver; the highest counts. Empty: roles are given here.',
  },
  {
    name: 'oidc.default_role',
    type: 'choice',
    choices: ['none', 'user', 'viewer', 'approver', 'admin', 'owner'],
    fallback: 'user',
    doc: 'The role of somebody whom the provider knows and no group names. none lets nobody else in.',
  },
  {
    name: 'oidc.recheck',
    type: 'duration',
    fallback: '5m',
    doc: 'How often the provider is asked whether it still knows somebody who is signed in.',
  },
  {
    name: 'oidc.sign_out_there',
    type: 'boolean',
    fallback: 'true',
    doc: 'Whether who signs out of the console signs out at the provider as well, where it offers that (end_session_endpoint).',
  },
  {
    name: 'oidc.label',
    type: 'text',
    fallback: 'Sign in with OpenID Connect',
    doc: 'The text on the button of the provider.',
  },
  { name: 'sessions.max_duration', type: 'duration', fallback: '8h', doc: 'The longest session, extensions included.' },
  {
    name: 'sessions.password_required',
    type: 'boolean',
    fallback: 'false',
    doc: "Whether sudo always asks for the person's own password.",
  },
  {
    name: 'devices.uninstall_approval',
    type: 'boolean',
    fallback: 'false',
    doc: 'Whether Curfew is taken off a device only with a code that an operator has made for it. Root can still tear it out by force.',
  },
  {
    name: 'requests.decide_within',
    type: 'duration',
    fallback: '24h',
    doc: 'A request that nobody decides times out after this.',
  },
  {
    name: 'requests.start_within',
    type: 'duration',
    fallback: '1h',
    doc: 'An approved request that is not started lapses after this.',
  },
  {
    name: 'accounts.link',
    type: 'choice',
    choices: ['by_name', 'manual'],
    fallback: 'by_name',
    doc: 'How an account that asks for the first time gets its user: the one of the same name (made if missing), or only by an operator.',
  },
  {
    name: 'devices.certificate_life',
    type: 'duration',
    fallback: '24h',
    doc: 'How long a device certificate works. Renewed at half of it.',
  },
  {
    name: 'recordings.keep',
    type: 'duration',
    fallback: '90d',
    doc: 'How long recordings are kept after the end of their session, where its policy does not say.',
  },
  {
    name: 'recordings.of_direct_grants',
    type: 'choice',
    choices: ['off', 'commands', 'output', 'input_and_output'],
    fallback: 'off',
    doc: 'What is recorded of sessions that operators give directly, without a policy.',
  },
  {
    name: 'recordings.longest_mib',
    type: 'count',
    fallback: '1024',
    doc: 'How many mebibytes of output and input one recording may have. What comes after is not kept.',
  },
  {
    name: 'recordings.leave_free_mib',
    type: 'count',
    fallback: '512',
    doc: 'Recordings are not taken while the disk of data_dir has less room than this many mebibytes: it is left to the ledger.',
  },
  {
    name: 'limits.token_calls_per_second',
    type: 'count',
    fallback: '200',
    doc: 'How many calls in a second one API token may make; five times as many at once. What takes rights away is not counted.',
  },
  {
    name: 'limits.device_messages_per_second',
    type: 'count',
    fallback: '50',
    doc: 'How many messages and calls in a second one device may make; five times as many at once. Messages beyond that are read later.',
  },
  {
    name: 'limits.unknown_calls_per_minute',
    type: 'count',
    fallback: '120',
    doc: 'How many calls in a minute one address may make on which nobody says truly who they are: wrong tokens, probes, reflection.',
  },
  {
    name: 'limits.unknown_connections',
    type: 'count',
    fallback: '2000',
    doc: 'How many connections may be open on which nobody has said who they are. Each has 30 seconds for that.',
  },
  {
    name: 'limits.watches_per_token',
    type: 'count',
    fallback: '32',
    doc: 'How many streams of changes one API token, or one device, may hold open.',
  },
  {
    name: 'limits.calls_at_once',
    type: 'count',
    fallback: '2000',
    doc: 'How many calls of everybody together may be at work at a time. Whoever comes then is told to come again. What takes rights away is not counted, and never sent away.',
  },
  {
    name: 'metrics.listen',
    type: 'listen',
    fallback: '',
    doc: 'HOST:PORT at which Prometheus reads /metrics, such as 127.0.0.1:7090. Elsewhere than on loopback with TLS, and only to whoever has the token of metrics.token_file. Empty means that there are none.',
  },
  {
    name: 'metrics.token_file',
    type: 'file',
    fallback: '',
    doc: 'A file with the token that /metrics is given for, as `Authorization: Bearer TOKEN`, and nothing else.',
  },
  {
    name: 'traces.url',
    type: 'optional',
    fallback: '',
    doc: 'The OpenTelemetry collector that gets a trace of each call, by OTLP over HTTP, such as http://127.0.0.1:4318. Without a path it is /v1/traces. Empty means that there are no traces.',
  },
  {
    name: 'traces.headers_file',
    type: 'file',
    fallback: '',
    doc: 'A file with what goes along to the collector, a header a line, such as `Authorization: Bearer TOKEN`. Elsewhere than on loopback it needs an https address.',
  },
  {
    name: 'traces.ca_file',
    type: 'file',
    fallback: '',
    doc: 'A PEM file with the CAs of the collector. Empty means those that the system trusts.',
  },
  {
    name: 'traces.percent',
    type: 'count',
    fallback: '100',
    doc: 'How many of a hundred calls are traced, chosen by chance. A call that comes as part of a trace is traced when its caller says so.',
  },
  {
    name: 'notifications.allow_local_targets',
    type: 'boolean',
    fallback: 'false',
    doc: "Whether webhooks and syslog may be pointed at the server's own machine and link: loopback and link-local addresses.",
  },
  {
    name: 'notifications.ca_file',
    type: 'file',
    fallback: '',
    doc: 'A PEM file with the CAs of webhooks, syslog and mail. Empty means those that the system trusts.',
  },
  {
    name: 'notifications.slack_api',
    type: 'address',
    fallback: 'https://slack.com/api',
    doc: "Where Slack's Web API is.",
  },
  { name: 'mail.host', type: 'optional', fallback: '', doc: 'The SMTP server for mail. Empty means no mail.' },
  { name: 'mail.port', type: 'port', fallback: '587', doc: 'Its port.' },
  {
    name: 'mail.tls',
    type: 'choice',
    choices: ['starttls', 'implicit'],
    fallback: 'starttls',
    doc: 'How TLS begins: with STARTTLS (usually port 587), or at once (usually 465). Mail never leaves the machine without TLS.',
  },
  { name: 'mail.user', type: 'optional', fallback: '', doc: 'The name to sign in with. Empty means no sign-in.' },
  { name: 'mail.password_file', type: 'file', fallback: '', doc: 'A file that holds the password, and nothing else.' },
  {
    name: 'mail.from',
    type: 'optional',
    fallback: '',
    doc: 'The address that mail comes from. Needed with mail.host.',
  },
  {
    name: 'timed_access.command_folder',
    type: 'folder',
    fallback: '',
    doc: 'The folder whose programs connectors of the kind command may run, as the user of the server. Whoever may edit connectors can run everything in it. Empty means that the kind is not offered.',
  },
  {
    name: 'timed_access.notify_after',
    type: 'duration',
    fallback: '10m',
    doc: 'Operators are told of a resource that has not confirmed for this long what the ledger wants of it.',
  },
  {
    name: 'timed_access.compare_every',
    type: 'duration',
    fallback: '15m',
    doc: 'How often each resource is compared with the ledger.',
  },
  {
    name: 'timed_access.allow_local_targets',
    type: 'boolean',
    fallback: 'false',
    doc: "Whether connectors may be pointed at the server's own machine and link: loopback and link-local addresses.",
  },
  {
    name: 'log.level',
    type: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    fallback: 'info',
    doc: 'What is logged.',
  },
] as const satisfies readonly ConfigOption[];

export type OptionName = (typeof CONFIG_OPTIONS)[number]['name'];
