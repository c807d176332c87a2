import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { CurfewError, parseAddress } from '@curfew/shared/cli';
import type { GlobalFlags, ToolContext } from './tool-context.js';

/** How `login` got the token: it was given, or made for this tool after a password or in the console. */
export type SignedInBy = 'token' | 'password' | 'console';

/** Where the server is, how to know it, and who calls. */
export interface ConnectionSettings {
  /** HOST:PORT. */
  readonly server: string;
  /** The API token. */
  readonly token: string;
  /** The server's own CA, PEM. */
  readonly ca: string;
  /** Undefined when the token is not from the settings file. */
  readonly how?: SignedInBy | undefined;
}

const KEYS = ['server', 'token', 'ca', 'how'] as const;

/** The file that `curfewctl login` writes: $XDG_CONFIG_HOME/curfew/config.yaml, or ~/.config/curfew/config.yaml. */
function settingsPath({ env, home }: Pick<ToolContext, 'env' | 'home'>): string {
  const base = env['XDG_CONFIG_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(home, '.config'), 'curfew', 'config.yaml');
}

/**
 * Flags before CURFEW_SERVER, CURFEW_TOKEN and CURFEW_CA (a file) before the settings file. Errors: NOT_SIGNED_IN when
 * the server or the token is nowhere, CONFIG_INVALID when the file cannot be used.
 */
export async function loadSettings(context: ToolContext, flags: GlobalFlags): Promise<ConnectionSettings> {
  const { env } = context;
  const file = await readSettings(context);
  const caFile = flags.ca ?? nonEmpty(env['CURFEW_CA']);
  const server = flags.server ?? nonEmpty(env['CURFEW_SERVER']) ?? file.server;
  const token = flags.token ?? nonEmpty(env['CURFEW_TOKEN']) ?? file.token;
  const ca = caFile === undefined ? file.ca : readCa(caFile);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new CurfewError('FIELD_INVALID', { field: 'token', problem: 'has characters that no token has' });
  if (server === undefined || token === undefined) throw new CurfewError('NOT_SIGNED_IN');
  if (ca === undefined)
    throw new CurfewError('CONFIG_INVALID', { problems: "the server's CA is not known; sign in, or set CURFEW_CA" });
  return { server: serverAddress(server), token, ca, how: token === file.token ? file.how : undefined };
}

/** Writes the settings so that only their owner can read them, whole or not at all. */
export async function saveSettings(context: ToolContext, settings: ConnectionSettings): Promise<string> {
  const { stringify } = await import('yaml');
  const path = settingsPath(context);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, stringify(settings), { mode: 0o600 });
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
  return path;
}

/** Takes the settings file away. Gives its path. Idempotent. */
export function forgetSettings(context: ToolContext): string {
  const path = settingsPath(context);
  rmSync(path, { force: true });
  return path;
}

/** Reads a CA certificate file that was named on the command line or in the environment. Errors: FIELD_INVALID. */
export function readCa(path: string): string {
  let problem = `the file ${path} holds no PEM certificate`;
  let cause: unknown;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    problem = `the file ${path} cannot be read`;
    cause = error;
  }
  throw new CurfewError('FIELD_INVALID', { field: '--ca', problem }, { cause });
}

/** Completes HOST to HOST:PORT. Errors: FIELD_INVALID. */
export function serverAddress(typed: string): string {
  const address = parseAddress(typed);
  if (address === undefined)
    throw new CurfewError('FIELD_INVALID', { field: 'server', problem: `'${typed}' is not HOST or HOST:PORT` });
  return address;
}

async function readSettings(context: ToolContext): Promise<Partial<ConnectionSettings>> {
  const path = settingsPath(context);
  const invalid = (problem: string): CurfewError =>
    new CurfewError('CONFIG_INVALID', { problems: `${path} ${problem}` });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
    if ((statSync(path).mode & 0o077) !== 0) throw invalid('can be read by others; run chmod 600 on it');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  const { parse } = await import('yaml');
  const value: unknown = parse(text);
  if (value === null) return {};
  if (typeof value !== 'object') throw invalid('is not a YAML map');
  for (const [key, entry] of Object.entries(value))
    if (!KEYS.some((known) => known === key) || typeof entry !== 'string')
      throw invalid(`has '${key}', which is not one of ${KEYS.join(', ')} with a text`);
  return value;
}

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);
