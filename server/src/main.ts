import { createLogger, CurfewError, SystemClock, systemRandom } from '@curfew/shared';
import { EXIT, newProgram, outputOf, printOne, runProgram, type Terminal } from '@curfew/shared/cli';
import type { Command } from 'commander';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadConfig, optionValues, shownValues } from './config/config.js';
import { copyLedger } from './ledger/ledger-copy.js';
import { lockLedger } from './ledger/ledger-lock.js';
import { SqliteLedger, type SqliteLedgerOptions } from './ledger/sqlite-ledger.js';
import { SecretFiles } from './pki/secret-files.js';
import { openServerKeys } from './pki/server-keys.js';
import type { Ended } from './recovery/end-what-may-be-over.js';
import { recoverLedger } from './recovery/recover-ledger.js';
import { restoreLedger } from './recovery/restore-ledger.js';
import { VERSION } from './version.js';

const clock = new SystemClock();

/** How long a server that is being replaced has to end. */
const LEAVING_SERVER_MS = 5_000;

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr, env: process.env, clock };
const program = newProgram(
  'curfew-server',
  'The control plane: holds the ledger, issues leases, answers agents and operators.',
  VERSION,
  terminal,
).option('--config <file>', 'the YAML file with the options (CURFEW_CONFIG)', process.env['CURFEW_CONFIG']);

function configFile(): string | undefined {
  const { config: file } = program.opts<{ config?: string }>();
  if (file !== undefined && !existsSync(file))
    throw new CurfewError('FIELD_INVALID', { field: '--config', problem: `there is no file ${file}` });
  return file;
}

const config = () => loadConfig(process.env, configFile());

program
  .command('serve')
  .description('run the server')
  .action(async () => {
    const settings = config();
    const logger = createLogger('curfew-server', settings.logLevel);
    mkdirSync(settings.dataDir, { recursive: true, mode: 0o700 });
    lockLedger(settings.dataDir, LEAVING_SERVER_MS);
    const { createServer } = await import('./create-server.js');
    const server = await createServer({
      config: settings,
      clock,
      random: systemRandom,
      logger,
      fatal: (error) => {
        logger.error('the disk failed, so nothing can be promised any more', { error });
        process.exit(1);
      },
    });
    if (server.firstOwnerToken !== undefined)
      process.stdout.write(`first owner token, shown this once: ${server.firstOwnerToken}\n`);
    if (server.firstOwnerPassword !== undefined)
      process.stdout.write(`first owner password, shown this once: ${server.firstOwnerPassword}\n`);
    process.stdout.write(`console on ${server.consoleUrl}\n`);
    process.stdout.write(`listening on ${settings.grpcHost}:${server.port}, CA ${server.caFingerprint}\n`);
    logger.info('server ready', { port: server.port, httpPort: server.httpPort, version: VERSION });
    const stop = (): void => {
      void server.close().then(() => process.exit(0));
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });

program
  .command('backup <file>')
  .description('write a consistent copy of the ledger, also while the server runs')
  .action(async (file: string) => {
    const { dataDir } = config();
    await copyLedger(ledgerFile(dataDir), file);
    process.stderr.write(`The ledger is in ${file}. Keys are not in it: keep ${path.join(dataDir, 'pki')} as well.\n`);
  });

program
  .command('restore <file>')
  .description('put a copy in the place of the ledger; the server must be stopped')
  .action(async (file: string) => {
    const { dataDir } = config();
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const options = await ledgerOptions(dataDir);
    lockLedger(dataDir, 0);
    const ended = await restoreLedger(file, options);
    process.stderr.write(`Restored. ${sumUp(ended)} Nothing is granted until: curfew-server recover\n`);
  });

program
  .command('recover')
  .description('begin a new incarnation of the ledger, after a restore; the server must be stopped')
  .action(async () => {
    const { dataDir } = config();
    if (!existsSync(ledgerFile(dataDir)))
      throw new CurfewError('STORAGE_UNSAFE', { problem: `there is no ledger in ${dataDir}` });
    const options = await ledgerOptions(dataDir);
    lockLedger(dataDir, 0);
    const ledger = await SqliteLedger.open(options);
    const done = await recoverLedger(ledger, clock);
    await ledger.close();
    process.stderr.write(
      `The ledger is now incarnation ${done.incarnation}. ${sumUp(done)} Look through devices, users and API tokens: ` +
        'what was removed, disabled or revoked after the backup is back.\n',
    );
  });

const configCommand = program.command('config').description('look at the configuration');
configCommand
  .command('check')
  .description('say whether the configuration is valid')
  .action(() => {
    config();
    process.stderr.write('The configuration is valid.\n');
  });
configCommand
  .command('print')
  .description('print every option with its value')
  .action(async (_flags: object, command: Command) => {
    const values = shownValues(optionValues(process.env, configFile()));
    await printOne(terminal, outputOf(command).format, { json: values, text: () => stringify(values) });
  });

const ledgerFile = (dataDir: string): string => path.join(dataDir, 'ledger.db');

async function ledgerOptions(dataDir: string): Promise<SqliteLedgerOptions> {
  const { note } = await openServerKeys(new SecretFiles(path.join(dataDir, 'pki')));
  return { file: ledgerFile(dataDir), clock, random: systemRandom, noteKey: note, fatal: fail };
}

const sumUp = ({ sessions, approvals, joinTokens }: Ended): string =>
  `Ended: ${sessions} sessions, ${approvals} approvals, ${joinTokens} join tokens.`;

function fail(error: unknown): never {
  process.stderr.write(`curfew-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

const code = await runProgram(program, process.argv.slice(2), terminal);
if (code !== EXIT.done) process.exit(code);
