import { createLogger, CurfewError, SystemClock, systemRandom } from '@curfew/shared';
import { Command } from 'commander';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { loadConfig, optionValues } from './config/config.js';
import { SqliteLedger, sqliteFileProblem } from './ledger/sqlite-ledger.js';
import { readMeta, writeMeta } from './ledger/ledger-meta.js';
import { SecretFiles } from './pki/secret-files.js';
import { openServerKeys } from './pki/server-keys.js';
import { VERSION } from './version.js';

const clock = new SystemClock();

// A signal that log rotation likes to send opens Node's inspector otherwise: root for every local user.
process.on('SIGUSR1', () => undefined);

const program = new Command('curfew-server')
  .description('The control plane: holds the ledger, issues leases, answers agents and operators.')
  .version(VERSION)
  .option('--config <file>', 'the YAML file with the options (CURFEW_CONFIG)', process.env['CURFEW_CONFIG']);

const config = () => loadConfig(process.env, program.opts<{ config?: string }>().config);

program
  .command('serve')
  .description('run the server')
  .action(async () => {
    const settings = config();
    const logger = createLogger('curfew-server', settings.logLevel);
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
    process.stdout.write(`listening on ${settings.grpcHost}:${server.port}, CA ${server.caFingerprint}\n`);
    logger.info('server ready', { port: server.port, version: VERSION });
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
    const ledger = await openLedger();
    await ledger.backup(file);
    await ledger.close();
    const problem = sqliteFileProblem(file);
    if (problem !== undefined) throw new CurfewError('STORAGE_UNSAFE', { problem: `the copy is damaged: ${problem}` });
    process.stderr.write(
      `The ledger is in ${file}. Keys are not in it: keep ${path.join(config().dataDir, 'pki')} as well.\n`,
    );
  });

program
  .command('restore <file>')
  .description('put a copy in the place of the ledger; the server must be stopped')
  .action(async (file: string) => {
    const target = path.join(config().dataDir, 'ledger.db');
    const problem = existsSync(file) ? sqliteFileProblem(file) : 'there is no such file';
    if (problem !== undefined) throw new CurfewError('STORAGE_UNSAFE', { problem: `${file}: ${problem}` });
    mkdirSync(config().dataDir, { recursive: true, mode: 0o700 });
    for (const suffix of ['-wal', '-shm']) rmSync(target + suffix, { force: true });
    copyFileSync(file, target);
    process.stderr.write(
      'Restored. If devices have seen newer states, nothing is granted until: curfew-server recover\n',
    );
  });

program
  .command('recover')
  .description('begin a new incarnation of the ledger, after a restore; the server must be stopped')
  .action(async () => {
    const ledger = await openLedger();
    const incarnation = await ledger.write(async (tx) => {
      const meta = await readMeta(tx.db);
      const next = meta.incarnation + 1;
      await writeMeta(tx.db, { incarnation: next, rolledBack: '' });
      tx.audit({ type: 'ledger.recovered', actor: { kind: 'server' }, subject: meta.id, data: { incarnation: next } });
      tx.changed('ledger', meta.id);
      return next;
    });
    await ledger.close();
    process.stderr.write(
      `The ledger is now incarnation ${incarnation}. Devices take leases of it from their next link on.\n`,
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
  .action(() => {
    process.stdout.write(
      stringify(Object.fromEntries(optionValues(process.env, program.opts<{ config?: string }>().config))),
    );
  });

async function openLedger(): Promise<SqliteLedger> {
  const { dataDir } = config();
  const { note } = await openServerKeys(new SecretFiles(path.join(dataDir, 'pki')));
  const fatal = (error: unknown): never => {
    throw error;
  };
  return SqliteLedger.open({
    file: path.join(dataDir, 'ledger.db'),
    clock,
    random: systemRandom,
    noteKey: note,
    fatal,
  });
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`curfew-server: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
