import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer, type PostgresVersion } from './postgres-server.js';
import { ownedFolder } from './scratch.js';

/** What a server needs to have its ledger in a database of its own, as CURFEW_… options. */
export async function postgresOptions(server: PostgresServer, folder: string): Promise<Record<string, string>> {
  const database = `ledger_${randomBytes(6).toString('hex')}`;
  await server.run(`create database ${database}`);
  const keyFile = join(folder, `${database}.key`);
  writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  return { CURFEW_LEDGER_URL: server.urlOf(database), CURFEW_LEDGER_KEY_FILE: keyFile };
}

/** The ledgers by the folders of their servers. */
const known = new Map<string, Record<string, string>>();
let shared: Promise<{ readonly server: PostgresServer; readonly folder: string }> | undefined;

async function startShared(version: PostgresVersion) {
  return {
    server: await PostgresServer.start(version, { fsync: 'on' }),
    folder: ownedFolder(tmpdir(), 'curfew-keys-'),
  };
}

/** The version that CURFEW_TEST_POSTGRES asks for; undefined when it asks for none. Errors: it is none that can be had. */
export function askedPostgres(): PostgresVersion | undefined {
  const { CURFEW_TEST_POSTGRES: asked = '' } = process.env;
  const version = ([15, 16, 17, 18] as const).find((one) => String(one) === asked);
  if (version === undefined && asked !== '') throw new Error(`CURFEW_TEST_POSTGRES is ${asked}, not 15 to 18`);
  return version;
}

/**
 * Where the servers of this run have their ledgers: embedded, or with CURFEW_TEST_POSTGRES=15 (to 18) each in a database
 * of one PostgreSQL, so that any suite that starts servers can be run on either. A server that is started again on its
 * folder has its ledger again.
 */
export async function ledgerOfTests(dataDir: string): Promise<Record<string, string>> {
  const version = askedPostgres();
  if (version === undefined) return {};
  shared ??= startShared(version);
  const { server, folder } = await shared;
  const options = known.get(dataDir) ?? (await postgresOptions(server, folder));
  known.set(dataDir, options);
  return options;
}

/** At the end of the whole run, whichever files are in it. */
export async function endLedgerOfTests(): Promise<void> {
  const started = await shared;
  await started?.server.stop();
  if (started !== undefined) rmSync(started.folder, { recursive: true, force: true });
}
