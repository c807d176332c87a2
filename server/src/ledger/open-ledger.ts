import type { Clock, Logger, Random } from '@curfew/shared';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config/config.js';
import { ALONE, type LinkPresence } from '../link/link-presence.js';
import { SecretFiles } from '../pki/secret-files.js';
import type { SecretStore } from '../pki/secret-store.js';
import { openServerKeys, type ServerKeys } from '../pki/server-keys.js';
import type { Ledger } from './ledger.js';
import { PostgresLedger } from './postgres/postgres-ledger.js';
import { SeenLedger } from './postgres/seen-ledger.js';
import { SharedPresence } from './postgres/shared-presence.js';
import { SharedSecrets } from './postgres/shared-secrets.js';
import { SqliteLedger } from './sqlite-ledger.js';

export interface OpenLedgerParts {
  readonly config: Pick<Config, 'dataDir' | 'ledger'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Must end the process: the disk has failed. */
  readonly fatal: (error: unknown) => void;
}

/** The ledger that the configuration names, and the keys that belong to it. */
export interface OpenLedger {
  readonly ledger: Ledger;
  readonly secrets: SecretStore;
  readonly keys: ServerKeys;
  /** Files without which nobody could be let in or believed after a restart. */
  readonly keyFiles: readonly string[];
  /** What is known of links to other servers. */
  readonly presence: LinkPresence;
}

const KEY_FILES = ['ca.crt', 'ca.key', 'audit.key'];

/** Errors: STORAGE_UNSAFE, LEDGER_UNAVAILABLE. */
export async function openLedger({ config, clock, random, logger, fatal }: OpenLedgerParts): Promise<OpenLedger> {
  const { dataDir, ledger: settings } = config;
  if (settings.url === '') {
    const secrets = new SecretFiles(path.join(dataDir, 'pki'));
    const keys = await openServerKeys(secrets);
    const file = path.join(dataDir, 'ledger.db');
    const ledger = await SqliteLedger.open({ file, clock, random, noteKey: keys.note, fatal });
    const keyFiles = KEY_FILES.map((name) => path.join(secrets.folder, name));
    return { secrets, keys, keyFiles, ledger, presence: ALONE };
  }
  const { url, keyFile } = settings;
  const seen = new SeenLedger();
  const secrets = await SharedSecrets.open(url, readFileSync(keyFile, 'utf8'), random, seen);
  const keys = await openServerKeys(secrets);
  const ledger = await PostgresLedger.open({ url, clock, random, noteKey: keys.note, logger, seen });
  const presence = new SharedPresence({ ledger, clock, random, logger });
  ledger.beforeTelling(presence);
  return { secrets, keys, keyFiles: [keyFile], ledger, presence };
}
