import { CurfewError } from '@curfew/shared';
import { newProgram, outputOf, printOne } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { loadConfig, optionValues, shownValues, type Config } from '../config/config.js';
import type { ServerContext } from './server-context.js';

/** curfew-server's whole tree of commands. Building it loads nothing that only some of them need. */
export function serverProgram(context: ServerContext): Command {
  const { env, version } = context;
  const program = newProgram(
    'curfew-server',
    'The control plane: holds the ledger, issues leases, answers agents and operators.',
    version,
    context,
  ).option('--config <file>', 'the YAML file with the options (CURFEW_CONFIG)', env['CURFEW_CONFIG']);
  const configFile = (): string | undefined => {
    const { config: file } = program.opts<{ config?: string }>();
    if (file !== undefined && !existsSync(file))
      throw new CurfewError('FIELD_INVALID', { field: '--config', problem: `there is no file ${file}` });
    return file;
  };
  const config = (): Config => loadConfig(env, configFile());

  program
    .command('serve')
    .description('run the server')
    .action(async () => (await import('./serve-command.js')).serve(context, config()));
  program
    .command('backup <file>')
    .description('write a consistent copy of the ledger, also while the server runs')
    .option('--recordings <file>', 'a copy of the recordings as well')
    .action(async (file: string, { recordings }: { recordings?: string }) =>
      (await import('./ledger-commands.js')).backup(context, config(), file, recordings),
    );
  program
    .command('restore <file>')
    .description('put a copy in the place of the ledger; the server must be stopped')
    .action(async (file: string) => (await import('./ledger-commands.js')).restore(context, config(), file));
  program
    .command('recover')
    .description('begin a new incarnation of the ledger, after a restore; the server must be stopped')
    .action(async () => (await import('./ledger-commands.js')).recover(context, config()));
  program
    .command('migrate')
    .description('move the embedded ledger to PostgreSQL, with verification; the server must be stopped')
    .requiredOption('--from <ledger>', 'sqlite: the one in data_dir')
    .requiredOption('--to <ledger>', 'postgres: the one of ledger.url')
    .action(async (flags: { from: string; to: string }) =>
      (await import('./migrate-command.js')).migrate(context, config(), flags),
    );
  const configCommand = program.command('config').description('look at the configuration');
  configCommand
    .command('check')
    .description('say whether the configuration is valid')
    .action(() => {
      config();
      context.stderr.write('The configuration is valid.\n');
    });
  configCommand
    .command('print')
    .description('print every option with its value')
    .action(async (_flags: object, command: Command) => {
      const values = shownValues(optionValues(env, configFile()));
      await printOne(context, outputOf(command).format, { json: values, text: () => stringify(values) });
    });
  return program;
}
