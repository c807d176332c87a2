import { CurfewError, ExportVerifier, silentLogger, systemRandom } from '@curfew/shared';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { AuditLog } from '../audit/audit-log.js';
import type { Config } from '../config/config.js';
import { lockLedger } from '../ledger/ledger-lock.js';
import { moveLedger } from '../ledger/postgres/move-ledger.js';
import { PostgresLedger } from '../ledger/postgres/postgres-ledger.js';
import { SeenLedger } from '../ledger/postgres/seen-ledger.js';
import { SharedSecrets } from '../ledger/postgres/shared-secrets.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { SecretFiles } from '../pki/secret-files.js';
import { openServerKeys } from '../pki/server-keys.js';
import type { ServerContext } from './server-context.js';

/** Every key that servers share. */
const KEYS = ['ca.key', 'ca.crt', 'audit.key', 'lease-keys.json', 'secrets.key'] as const;

/**
 * `migrate --from sqlite --to postgres`: moves the embedded ledger and its keys to the database of the options, reads
 * everything back, and puts the old file aside. The server must be stopped. Errors: FIELD_INVALID, LEDGER_IN_USE,
 * STORAGE_UNSAFE, LEDGER_UNAVAILABLE.
 */
export async function migrate(
  { clock, stderr }: ServerContext,
  { dataDir, ledger: settings }: Pick<Config, 'dataDir' | 'ledger'>,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<void> {
  if (from !== 'sqlite' || to !== 'postgres')
    throw new CurfewError('FIELD_INVALID', { field: '--from, --to', problem: 'must be sqlite and postgres' });
  const { url, keyFile } = settings;
  if (url === '') throw new CurfewError('FIELD_INVALID', { field: 'ledger.url', problem: 'names no database' });
  const file = path.join(dataDir, 'ledger.db');
  if (!existsSync(file)) throw new CurfewError('STORAGE_UNSAFE', { problem: `there is no ledger in ${dataDir}` });
  const release = lockLedger(dataDir, 0);
  try {
    const files = new SecretFiles(path.join(dataDir, 'pki'));
    const { note } = await openServerKeys(files);
    // Brings it up to this program's schema, and takes its log in.
    const fatal = (error: unknown): never => {
      throw error;
    };
    const embedded = await SqliteLedger.open({ file, clock, random: systemRandom, noteKey: note, fatal });
    // What is not whole here would be found only when it is in the database.
    await verifyAuditLog(new AuditLog(embedded, note)).finally(() => embedded.close());
    const secrets = await SharedSecrets.open(url, readFileSync(keyFile, 'utf8'), systemRandom, new SeenLedger());
    // They first: what is in the database without them would be of no use.
    for (const name of KEYS) {
      const text = files.read(name);
      if (text !== undefined && (await secrets.readOrMake(name, () => text)) !== text)
        throw new CurfewError('STORAGE_UNSAFE', { problem: `the database has another ${name} already` });
    }
    const moved = await moveLedger(file, url);
    const parts = { url, clock, random: systemRandom, noteKey: note, logger: silentLogger };
    const ledger = await PostgresLedger.open(parts);
    const events = await verifyAuditLog(new AuditLog(ledger, note)).finally(() => ledger.close());
    const aside = `${file}.moved`;
    renameSync(file, aside);
    stderr.write(
      `Moved ${moved.rows} rows of ${moved.tables} tables, each read back and compared. The audit log has ${events} events ` +
        'that are those of its signed checkpoint. ' +
        `The keys are in the database, sealed with ${keyFile}: keep a copy of that file. ` +
        `The old ledger is ${aside}; the recordings and releases stay in ${dataDir}.\n`,
    );
  } finally {
    release();
  }
}

/** How many events the log has, when they are those of its newest checkpoint. Errors: STORAGE_UNSAFE. */
async function verifyAuditLog(log: AuditLog): Promise<number> {
  const verifier = new ExportVerifier();
  let count = 0;
  for await (const part of log.export()) {
    if ('checkpoint' in part) {
      const verdict = verifier.finish(part.checkpoint, log.verificationKey);
      if (!verdict.ok && count > 0)
        throw new CurfewError('STORAGE_UNSAFE', { problem: `the audit log is not whole: ${verdict.problem}` });
      continue;
    }
    for (const { idx, record } of part.events) verifier.add({ index: idx, record });
    count += part.events.length;
  }
  return count;
}
