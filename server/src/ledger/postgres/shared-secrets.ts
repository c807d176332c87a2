import { CurfewError, type Random } from '@curfew/shared';
import { SecretBox } from '../../secrets/secret-box.js';
import type { SecretStore } from '../../pki/secret-store.js';
import { PostgresConnection } from './postgres-connection.js';
import { ledgerError } from './postgres-errors.js';
import { preparePostgres } from './postgres-migrations.js';
import type { SeenLedger } from './seen-ledger.js';

/**
 * The keys that all servers of a ledger share, in the ledger itself, each sealed with a key that is not in it and bound
 * to its name: who has the database has none of them.
 */
export class SharedSecrets implements SecretStore {
  /** What was read of each, as it is sealed there: what has another seal was changed since. */
  private readonly seals = new Map<string, string>();

  private constructor(
    private readonly url: string,
    private readonly box: SecretBox,
    private readonly seen: SeenLedger,
  ) {}

  /** Makes the ledger's tables if there are none. `key` is what the file holds. Errors: STORAGE_UNSAFE, LEDGER_UNAVAILABLE. */
  static async open(url: string, key: string, random: Random, seen: SeenLedger): Promise<SharedSecrets> {
    const secrets = new SharedSecrets(url, SecretBox.of(key, 'ledger.key_file', random), seen);
    await preparePostgres(url).catch((error: unknown) => {
      throw ledgerError(error);
    });
    return secrets;
  }

  async readOrMake(name: string, make: () => string | Promise<string>): Promise<string> {
    const existing = await this.newest(name);
    if (existing !== undefined) return existing;
    const sealed = this.box.seal(await make(), placeOf(name));
    await this.ask((connection) =>
      connection.run('insert into server_secret (name, sealed) values ($1, $2) on conflict (name) do nothing', [
        name,
        sealed,
      ]),
    );
    const kept = await this.newest(name);
    if (kept === undefined) throw new CurfewError('STORAGE_FAILED', { detail: `${name} was not kept` });
    return kept;
  }

  async newest(name: string): Promise<string | undefined> {
    const [row] = await this.ask((connection) =>
      connection.run<{ sealed: string }>('select sealed from server_secret where name = $1', [name]),
    );
    if (row === undefined) return undefined;
    this.seals.set(name, row.sealed);
    return this.box.unseal(row.sealed, placeOf(name));
  }

  async write(name: string, text: string): Promise<void> {
    const sealed = this.box.seal(text, placeOf(name));
    const changed = await this.ask((connection) =>
      connection.run('update server_secret set sealed = $2 where name = $1 and sealed = $3 returning name', [
        name,
        sealed,
        this.seals.get(name) ?? '',
      ]),
    );
    if (changed.length === 0)
      throw new CurfewError('STORAGE_FAILED', { detail: `another server has just changed ${name}; try again` });
    this.seals.set(name, sealed);
  }

  private async ask<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    let connection: PostgresConnection | undefined;
    try {
      connection = await PostgresConnection.enter(this.url, 'keys', this.seen);
      return await work(connection);
    } catch (error) {
      throw ledgerError(error);
    } finally {
      await connection?.close();
    }
  }
}

const placeOf = (name: string): string => `server secret ${name}`;
