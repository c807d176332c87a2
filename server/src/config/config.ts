import { CurfewError, parseDuration, type LogLevel } from '@curfew/shared';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseDocument } from 'yaml';
import { httpConfig, signInConfig, type HttpConfig, type SignInConfig } from './http-config.js';
import { isNetwork } from '../http/trusted-proxies.js';
import { isListenAddress, metricsConfig, type MetricsConfig } from './metrics-config.js';
import type { NotificationSettings } from '../notifiers/notification-settings.js';
import { ledgerProblems, type LedgerSettings } from './ledger-config.js';
import { oidcConfig, type OidcConfig } from './oidc-config.js';
import { RECORDING_MODES, type RecordingRule } from '../policies/policy-spec.js';
import type { LimitSettings } from '../rpc/call-limits.js';
import type { RecordingSettings } from '../recordings/open-recordings.js';
import type { TimedAccessSettings } from '../timed-access/timed-access.js';
import { tracesConfig, type TracesConfig } from './traces-config.js';
import { CONFIG_OPTIONS, type ConfigOption, type OptionName } from './options.js';

const MIB = 1_048_576;
/** More parts than the path of any option has. */
const DEEPEST = 8;

/** The compiled configuration: milliseconds, numbers, lists. */
export interface Config {
  readonly dataDir: string;
  readonly ledger: LedgerSettings;
  readonly grpcHost: string;
  readonly grpcPort: number;
  readonly grpcNames: readonly string[];
  /** Undefined for a server that is the only one of its ledger. */
  readonly connectionAgeMs: number | undefined;
  readonly http: HttpConfig;
  readonly signIn: SignInConfig;
  /** Undefined without a provider. */
  readonly oidc: OidcConfig | undefined;
  readonly maxSessionMs: number;
  readonly passwordRequired: boolean;
  readonly uninstallApproval: boolean;
  readonly decideWithinMs: number;
  readonly startWithinMs: number;
  readonly linkAccounts: 'by_name' | 'manual';
  readonly grantRecording: RecordingRule | undefined;
  readonly certificateLifeMs: number;
  readonly limits: LimitSettings;
  readonly unknownConnections: number;
  /** Undefined when nobody asks. */
  readonly metrics: MetricsConfig | undefined;
  /** Undefined when nobody collects them. */
  readonly traces: TracesConfig | undefined;
  readonly notifications: NotificationSettings;
  readonly timedAccess: TimedAccessSettings;
  readonly recordings: RecordingSettings;
  readonly logLevel: LogLevel;
}

/** Reads the configuration: the environment over the file over the defaults. All problems at once. Errors: CONFIG_INVALID. */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, file = env['CURFEW_CONFIG']): Config {
  const values = optionValues(env, file);
  const problems: string[] = [];
  for (const option of CONFIG_OPTIONS) {
    const problem = problemOf(option, values.get(option.name) ?? '');
    if (problem !== undefined) problems.push(`${option.name}: ${problem}`);
  }
  if (values.get('mail.host') !== '' && values.get('mail.from') === '')
    problems.push('mail.from: is needed with mail.host');
  problems.push(...ledgerProblems(values.get('ledger.url') ?? '', values.get('ledger.key_file') ?? ''));
  if (problems.length > 0) throw new CurfewError('CONFIG_INVALID', { problems: problems.join('; ') });
  const text = (name: OptionName): string => values.get(name) ?? '';
  const ms = (name: OptionName): number => parseDuration(text(name)) ?? 0;
  const list = (name: OptionName): string[] => listOf(text(name));
  const reader = { text, ms, list };
  return Object.freeze({
    dataDir: text('data_dir'),
    ledger: Object.freeze({ url: text('ledger.url'), keyFile: text('ledger.key_file') }),
    grpcHost: text('grpc.host'),
    grpcPort: Number(text('grpc.port')),
    grpcNames: list('grpc.names'),
    connectionAgeMs: text('ledger.url') === '' ? undefined : ms('grpc.connection_age'),
    http: httpConfig(reader),
    signIn: signInConfig(reader),
    oidc: oidcConfig(reader),
    maxSessionMs: ms('sessions.max_duration'),
    passwordRequired: text('sessions.password_required') === 'true',
    uninstallApproval: text('devices.uninstall_approval') === 'true',
    decideWithinMs: ms('requests.decide_within'),
    startWithinMs: ms('requests.start_within'),
    linkAccounts: text('accounts.link') as Config['linkAccounts'],
    grantRecording: grantRecording(text('recordings.of_direct_grants')),
    certificateLifeMs: ms('devices.certificate_life'),
    limits: Object.freeze({
      tokenCallsPerSecond: Number(text('limits.token_calls_per_second')),
      deviceMessagesPerSecond: Number(text('limits.device_messages_per_second')),
      unknownCallsPerMinute: Number(text('limits.unknown_calls_per_minute')),
      watchesPerToken: Number(text('limits.watches_per_token')),
      callsAtOnce: Number(text('limits.calls_at_once')),
    }),
    unknownConnections: Number(text('limits.unknown_connections')),
    metrics: metricsConfig(reader),
    traces: tracesConfig(reader),
    notifications: Object.freeze({
      allowLocalTargets: text('notifications.allow_local_targets') === 'true',
      caFile: text('notifications.ca_file'),
      slackApi: text('notifications.slack_api').replace(/\/+$/, ''),
      mail: Object.freeze({
        host: text('mail.host'),
        port: Number(text('mail.port')),
        tls: text('mail.tls') as NotificationSettings['mail']['tls'],
        user: text('mail.user'),
        passwordFile: text('mail.password_file'),
        from: text('mail.from'),
      }),
    }),
    timedAccess: Object.freeze({
      notifyAfterMs: ms('timed_access.notify_after'),
      compareEveryMs: ms('timed_access.compare_every'),
      allowLocalTargets: text('timed_access.allow_local_targets') === 'true',
      commandFolder: text('timed_access.command_folder'),
    }),
    recordings: Object.freeze({
      keepMs: ms('recordings.keep'),
      longest: Number(text('recordings.longest_mib')) * MIB,
      leaveFree: Number(text('recordings.leave_free_mib')) * MIB,
    }),
    logLevel: text('log.level') as LogLevel,
  });
}

function grantRecording(given: string): RecordingRule | undefined {
  const mode = RECORDING_MODES.find((one) => one === given);
  return mode === undefined ? undefined : { mode, required: false, keepMs: null };
}

/** The value of each option as text. Errors: CONFIG_INVALID for keys that are no option. */
export function optionValues(
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): Map<string, string> {
  const fromFile = file === undefined ? new Map<string, string>() : flatten(parseFile(file), []);
  const known = new Set<string>(CONFIG_OPTIONS.map(({ name }) => name));
  const unknown = [...fromFile.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0)
    throw new CurfewError('CONFIG_INVALID', { problems: unknown.map((key) => `${key}: is no option`).join('; ') });
  return new Map(
    CONFIG_OPTIONS.map(({ name, fallback }) => [name, env[environmentName(name)] ?? fromFile.get(name) ?? fallback]),
  );
}

/** The options as they may be shown: secrets are not. */
export function shownValues(values: ReadonlyMap<string, string>): Record<string, string> {
  const secret = new Set<string>(CONFIG_OPTIONS.filter((option) => 'secret' in option).map(({ name }) => name));
  return Object.fromEntries(
    [...values].map(([name, value]) => [name, secret.has(name) && value !== '' ? '[masked]' : value]),
  );
}

function parseFile(file: string): unknown {
  try {
    const document = parseDocument(readFileSync(file, 'utf8'));
    // What it only warns of, as a tag that it does not know, would be said with the line, which may hold a secret.
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    return document.toJS() as unknown;
  } catch (cause) {
    const [problem = ''] = (cause as Error).message.split('\n');
    throw new CurfewError('CONFIG_INVALID', { problems: `${file}: ${problem}` }, { cause });
  }
}

/** How an option is called in the environment. */
export const environmentName = (name: string): string => `CURFEW_${name.toUpperCase().replaceAll('.', '_')}`;

function problemOf(option: ConfigOption, value: string): string | undefined {
  switch (option.type) {
    case 'text':
      return value === '' ? 'must not be empty' : undefined;
    case 'list':
    case 'optional':
      return undefined;
    case 'origin':
      return value === '' || isOrigin(value)
        ? undefined
        : `'${value}' is not an address such as https://curfew.example.com`;
    case 'file':
      return value === '' || existsSync(value) ? undefined : `there is no file ${value}`;
    case 'folder':
      return value === '' || isFolder(value) ? undefined : `'${value}' is not the absolute path of a folder`;
    case 'address':
      return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
        ? undefined
        : `'${value}' is not an address such as https://example.com`;
    case 'networks': {
      const wrong = listOf(value).find((item) => !isNetwork(item));
      return wrong === undefined ? undefined : `'${wrong}' is no address or network such as 10.0.0.0/8`;
    }
    case 'port':
      return /^\d{1,5}$/.test(value) && Number(value) < 65_536 ? undefined : `'${value}' is not a port`;
    case 'listen':
      return value === '' || isListenAddress(value) ? undefined : `'${value}' is not HOST:PORT such as 127.0.0.1:7090`;
    case 'duration':
      return parseDuration(value) === undefined ? `'${value}' is not a duration such as 90s, 30m or 8h` : undefined;
    case 'boolean':
      return ['true', 'false'].includes(value) ? undefined : `'${value}' is not true or false`;
    case 'count':
      return /^[1-9]\d{0,8}$/.test(value) ? undefined : `'${value}' is not a whole number from 1 to 999999999`;
    case 'choice':
      return option.choices?.includes(value) === true
        ? undefined
        : `'${value}' is not one of ${option.choices?.join(', ') ?? ''}`;
  }
}

const listOf = (value: string): string[] =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

function isFolder(value: string): boolean {
  try {
    return path.isAbsolute(value) && statSync(value, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // A path that is too long, or holds a NUL, leads to no folder either.
    return false;
  }
}

/** Whether the text is scheme, host and port alone. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Every value by its path. Errors: CONFIG_INVALID for what no option can be: it may go round in a circle (YAML 1.2.2, 3.2.2.2). */
function flatten(value: unknown, path: readonly string[]): Map<string, string> {
  const name = path.join('.');
  if (value === null || value === undefined) return new Map();
  if (typeof value !== 'object') return new Map([[name, typeof value === 'string' ? value : JSON.stringify(value)]]);
  if (Array.isArray(value)) {
    if (value.some((item) => typeof item === 'object' && item !== null))
      throw new CurfewError('CONFIG_INVALID', { problems: `${name}: is no list of texts` });
    return new Map([[name, value.join(',')]]);
  }
  if (path.length === DEEPEST) throw new CurfewError('CONFIG_INVALID', { problems: `${name}: is no option` });
  return new Map(Object.entries(value).flatMap(([key, item]) => [...flatten(item, [...path, key])]));
}
