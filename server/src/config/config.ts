import { CurfewError, parseDuration, type LogLevel } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { CONFIG_OPTIONS, type ConfigOption, type OptionName } from './options.js';

/** The compiled configuration: milliseconds, numbers, lists. */
export interface Config {
  readonly dataDir: string;
  readonly grpcHost: string;
  readonly grpcPort: number;
  readonly grpcNames: readonly string[];
  readonly maxSessionMs: number;
  readonly passwordRequired: boolean;
  readonly decideWithinMs: number;
  readonly startWithinMs: number;
  readonly linkAccounts: 'by_name' | 'manual';
  readonly certificateLifeMs: number;
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
  if (problems.length > 0) throw new CurfewError('CONFIG_INVALID', { problems: problems.join('; ') });
  const text = (name: OptionName): string => values.get(name) ?? '';
  const ms = (name: OptionName): number => parseDuration(text(name)) ?? 0;
  return Object.freeze({
    dataDir: text('data_dir'),
    grpcHost: text('grpc.host'),
    grpcPort: Number(text('grpc.port')),
    grpcNames: text('grpc.names')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    maxSessionMs: ms('sessions.max_duration'),
    passwordRequired: text('sessions.password_required') === 'true',
    decideWithinMs: ms('requests.decide_within'),
    startWithinMs: ms('requests.start_within'),
    linkAccounts: text('accounts.link') as Config['linkAccounts'],
    certificateLifeMs: ms('devices.certificate_life'),
    logLevel: text('log.level') as LogLevel,
  });
}

/** The value of each option as text. Errors: CONFIG_INVALID for keys that are no option. */
export function optionValues(
  env: Readonly<Record<string, string | undefined>>,
  file: string | undefined,
): Map<string, string> {
  const fromFile = file === undefined ? new Map<string, string>() : flatten(parse(readFileSync(file, 'utf8')), '');
  const known = new Set<string>(CONFIG_OPTIONS.map(({ name }) => name));
  const unknown = [...fromFile.keys()].filter((key) => !known.has(key));
  if (unknown.length > 0)
    throw new CurfewError('CONFIG_INVALID', { problems: unknown.map((key) => `${key}: is no option`).join('; ') });
  return new Map(
    CONFIG_OPTIONS.map(({ name, fallback }) => [name, env[environmentName(name)] ?? fromFile.get(name) ?? fallback]),
  );
}

/** How an option is called in the environment. */
export const environmentName = (name: string): string => `CURFEW_${name.toUpperCase().replaceAll('.', '_')}`;

function problemOf(option: ConfigOption, value: string): string | undefined {
  switch (option.type) {
    case 'text':
      return value === '' ? 'must not be empty' : undefined;
    case 'list':
      return undefined;
    case 'port':
      return /^\d{1,5}$/.test(value) && Number(value) < 65_536 ? undefined : `'${value}' is not a port`;
    case 'duration':
      return parseDuration(value) === undefined ? `'${value}' is not a duration such as 90s, 30m or 8h` : undefined;
    case 'boolean':
      return ['true', 'false'].includes(value) ? undefined : `'${value}' is not true or false`;
    case 'choice':
      return option.choices?.includes(value) === true
        ? undefined
        : `'${value}' is not one of ${option.choices?.join(', ') ?? ''}`;
  }
}

function flatten(value: unknown, prefix: string): Map<string, string> {
  if (value === null || value === undefined) return new Map();
  if (typeof value !== 'object' || Array.isArray(value))
    return new Map([[prefix, [value as string | number | boolean | string[]].flat().join(',')]]);
  return new Map(
    Object.entries(value).flatMap(([key, item]) => [...flatten(item, prefix === '' ? key : `${prefix}.${key}`)]),
  );
}
