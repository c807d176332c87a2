/** One option of the server: where it stands in the YAML file, and how it reads. */
export interface ConfigOption {
  /** The path in the file, such as 'sessions.max_duration'; in the environment CURFEW_SESSIONS_MAX_DURATION. */
  readonly name: string;
  readonly type: 'text' | 'port' | 'duration' | 'boolean' | 'list' | 'choice';
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
  { name: 'grpc.host', type: 'text', fallback: '0.0.0.0', doc: 'The address to listen on, for agents and the API.' },
  { name: 'grpc.port', type: 'port', fallback: '7443', doc: 'The port to listen on. 0 takes a free one.' },
  {
    name: 'grpc.names',
    type: 'list',
    fallback: '',
    doc: 'More names and addresses for the server certificate, separated by commas.',
  },
  { name: 'sessions.max_duration', type: 'duration', fallback: '8h', doc: 'The longest session, extensions included.' },
  {
    name: 'sessions.password_required',
    type: 'boolean',
    fallback: 'false',
    doc: "Whether sudo always asks for the person's own password.",
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
    name: 'log.level',
    type: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    fallback: 'info',
    doc: 'What is logged.',
  },
] as const satisfies readonly ConfigOption[];

export type OptionName = (typeof CONFIG_OPTIONS)[number]['name'];
