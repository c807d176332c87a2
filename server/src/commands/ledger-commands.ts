import { CurfewError, silentLogger, systemRandom } from '@curfew/shared';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config.js';
import { copyDatabase, copyLedger } from '../ledger/ledger-copy.js';
import { lockLedger } from '../ledger/ledger-lock.js';
import { openLedger } from '../ledger/open-ledger.js';
import type { SqliteLedgerOptions } from '../ledger/sqlite-ledger.js';
import { SecretFiles } from '../pki/secret-files.js';
import { openServerKeys } from '../pki/server-keys.js';
import { RECORDINGS, recordingsFile } from '../recordings/recordings-file.js';
import type { Ended } from '../recovery/end-what-may-be-over.js';
import { recoverLedger } from '../recovery/recover-ledger.js';
import { restoreLedger } from '../recovery/restore-ledger.js';
import type { ServerContext } from './server-context.js';

type Folder = Pick<Config, 'dataDir' | 'ledger'>;

/** PostgreSQL's own tools do what a file needs here. Errors: FIELD_INVALID. */
function assertEmbedded(ledger: Config['ledger'], instead: string): void {
  if (ledger.url !== '')
    throw new CurfewError('FIELD_INVALID', { field: 'ledger.url', problem: `the ledger is on PostgreSQL; ${instead}` });
}

/** `backup`: also while the server runs. Errors: FIELD_INVALID, STORAGE_UNSAFE. */
export async function backup(
  context: ServerContext,
  { dataDir, ledger }: Folder,
  file: string,
  recordings: string | undefined,
): Promise<void> {
  assertEmbedded(ledger, 'copy it with pg_dump or pg_basebackup, and ledger.key_file as well');
  await copyLedger(ledgerFile(dataDir), file);
  if (recordings !== undefined) {
    await copyDatabase(recordingsFile(dataDir), recordings, RECORDINGS);
    context.stderr.write(`The recordings are in ${recordings}, sealed.\n`);
  }
  context.stderr.write(`The ledger is in ${file}. Keys are not in it: keep ${path.join(dataDir, 'pki')} as well.\n`);
}

/** `restore`: nothing is granted from then on until `recover`. Errors: STORAGE_UNSAFE while a server runs. */
export async function restore(context: ServerContext, { dataDir, ledger }: Folder, file: string): Promise<void> {
  assertEmbedded(ledger, 'restore it with its tools while no server runs, then: curfew-server recover');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const options = await ledgerOptions(context, dataDir);
  lockLedger(dataDir, 0);
  const ended = await restoreLedger(file, options);
  context.stderr.write(`Restored. ${sumUp(ended)} Nothing is granted until: curfew-server recover\n`);
}

/** `recover`: begins a new incarnation. Errors: STORAGE_UNSAFE without a ledger, LEDGER_IN_USE while a server runs. */
export async function recover(context: ServerContext, config: Folder): Promise<void> {
  const { dataDir } = config;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (config.ledger.url === '' && !existsSync(ledgerFile(dataDir)))
    throw new CurfewError('STORAGE_UNSAFE', { problem: `there is no ledger in ${dataDir}` });
  lockLedger(dataDir, 0);
  const { clock, stderr } = context;
  const fatal = fatalOf(context);
  const { ledger } = await openLedger({ config, clock, random: systemRandom, logger: silentLogger, fatal });
  try {
    if (!ledger.leads) throw new CurfewError('LEDGER_IN_USE', { folder: 'ledger.url' });
    const done = await recoverLedger(ledger, clock);
    stderr.write(
      `The ledger is now incarnation ${done.incarnation}. ${sumUp(done)} Look through devices, users and API tokens: ` +
        'what was removed, disabled or revoked after the backup is back.\n',
    );
  } finally {
    await ledger.close();
  }
}

const ledgerFile = (dataDir: string): string => path.join(dataDir, 'ledger.db');

async function ledgerOptions({ clock, stderr }: ServerContext, dataDir: string): Promise<SqliteLedgerOptions> {
  const { note } = await openServerKeys(new SecretFiles(path.join(dataDir, 'pki')));
  return { file: ledgerFile(dataDir), clock, random: systemRandom, noteKey: note, fatal: fatalOf({ stderr }) };
}

const fatalOf =
  ({ stderr }: Pick<ServerContext, 'stderr'>) =>
  (error: unknown): never => {
    stderr.write(`curfew-server: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  };

const sumUp = ({ sessions, approvals, joinTokens, signIns }: Ended): string =>
  `Ended: ${sessions} sessions, ${approvals} approvals, ${joinTokens} join tokens, ${signIns} sign-ins.`;
