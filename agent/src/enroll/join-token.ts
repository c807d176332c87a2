import { CurfewError, usageError } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** Where the join token may stand. */
export interface JoinTokenFlags {
  readonly token?: string;
  readonly tokenFile?: string;
}

/** The join token, from a file or standard input, the environment, or the command line. Errors: FIELD_INVALID. */
export async function joinToken(
  command: Command,
  flags: JoinTokenFlags,
  env: Readonly<Record<string, string | undefined>>,
  stdin: Readable,
): Promise<string> {
  const [field, given] = await read(flags, env, stdin);
  if (given === undefined)
    usageError(command, "say where the join token is: --token-file FILE ('-' is standard input), or CURFEW_JOIN_TOKEN");
  const token = given.trim();
  if (!/^cfj1\.[A-Za-z0-9_-]{32}\.[0-9a-f]{64}$/.test(token))
    throw new CurfewError('FIELD_INVALID', {
      field,
      problem: 'is not a whole join token; it starts with cfj1. and has 102 characters',
    });
  return token;
}

async function read(
  { token, tokenFile }: JoinTokenFlags,
  env: Readonly<Record<string, string | undefined>>,
  stdin: Readable,
): Promise<[field: string, given: string | undefined]> {
  if (tokenFile === '-') return ['--token-file', await text(stdin)];
  if (tokenFile !== undefined)
    try {
      return ['--token-file', readFileSync(tokenFile, 'utf8')];
    } catch (cause) {
      const problem = `the file ${tokenFile} cannot be read`;
      throw new CurfewError('FIELD_INVALID', { field: '--token-file', problem }, { cause });
    }
  const fromEnvironment = env['CURFEW_JOIN_TOKEN'] ?? '';
  return fromEnvironment === '' ? ['--token', token] : ['CURFEW_JOIN_TOKEN', fromEnvironment];
}
