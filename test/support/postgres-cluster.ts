import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from './postgres-server.js';
import { ownedFolder } from './scratch.js';
import { SwitchedProxy } from './switched-proxy.js';
import { eventually } from './wait.js';

/** Whether a commit waits for the standby. */
type Replication = 'synchronous' | 'asynchronous';

const STANDBY = 'standby';
const DATABASE = 'curfew';
/** As docs/postgresql.md has it: the owner of one database, and no more. */
const OWNER = { name: 'curfew', password: randomBytes(12).toString('hex') };
const SOON_MS = 30_000;

/** A primary, a standby that streams from it, and the address of whichever is in charge, which only this program moves. */
export class PostgresCluster {
  private constructor(
    readonly primary: PostgresServer,
    readonly standby: PostgresServer,
    readonly address: SwitchedProxy,
    private readonly ends: readonly (() => Promise<void>)[],
    /** What a server needs to have its ledger here, as CURFEW_… options. */
    readonly options: Readonly<Record<string, string>>,
  ) {}

  static async start(replication: Replication): Promise<PostgresCluster> {
    const primary = await PostgresServer.start(15, { fsync: 'on' });
    const begun: (() => Promise<void>)[] = [() => primary.stop()];
    try {
      await primary.run(`create role ${OWNER.name} login password '${OWNER.password}';
        create database ${DATABASE} owner ${OWNER.name}`);
      const standby = await primary.standby(STANDBY, { fsync: 'on' });
      begun.unshift(() => standby.stop());
      const address = await SwitchedProxy.start(primary.port);
      begun.unshift(() => address.close());
      const folder = ownedFolder(tmpdir(), 'curfew-cluster-');
      begun.unshift(() => rm(folder, { recursive: true, force: true }));
      const keyFile = join(folder, 'ledger.key');
      writeFileSync(keyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
      const url = new URL(primary.urlOf(DATABASE, address.port));
      [url.username, url.password] = [OWNER.name, OWNER.password];
      const options = { CURFEW_LEDGER_URL: url.href, CURFEW_LEDGER_KEY_FILE: keyFile };
      const cluster = new PostgresCluster(primary, standby, address, begun, options);
      await cluster.streams();
      if (replication === 'synchronous') await cluster.waitForStandby();
      return cluster;
    } catch (error) {
      for (const end of begun) await end();
      throw error;
    }
  }

  /** Has every commit of the primary wait for the standby. */
  private async waitForStandby(): Promise<void> {
    await this.primary.run(`alter system set synchronous_standby_names = '${STANDBY}'; select pg_reload_conf()`);
    const state = () => this.primary.run(`select sync_state from pg_stat_replication`);
    await eventually(async () => (await state()) === 'sync', { withinMs: SOON_MS, what: 'a synchronous standby' });
  }

  /** Waits until the standby follows. */
  private async streams(): Promise<void> {
    const state = () => this.primary.run(`select state from pg_stat_replication`);
    await eventually(async () => (await state()) === 'streaming', {
      withinMs: SOON_MS,
      what: 'a standby that streams',
    });
  }

  /** Waits until the standby has all that the primary has now. */
  async hasFollowed(): Promise<void> {
    const now = await this.primary.run('select pg_current_wal_lsn()');
    const has = () => this.primary.run(`select flush_lsn >= '${now}' from pg_stat_replication`);
    await eventually(async () => (await has()) === 't', { withinMs: SOON_MS, what: 'a standby that has everything' });
  }

  /** Starts the standby again, with nobody to follow, and makes a primary of it. */
  async promoteAlone(): Promise<void> {
    await this.standby.up({ primary_conninfo: '' });
    await this.standby.promote();
  }

  /** Starts the former primary as what it was, and has it take writes that no standby gets, as a split brain is. */
  async reviveFormer(): Promise<void> {
    await this.primary.up();
    await this.primary.run('alter system reset synchronous_standby_names; select pg_reload_conf()');
    await eventually(async () => (await this.primary.run('show synchronous_standby_names')) === '', {
      withinMs: SOON_MS,
    });
  }

  /** Asks one of both in the database of the ledger. */
  ask(server: PostgresServer, statement: string): Promise<string> {
    return server.run(statement, DATABASE);
  }

  async stop(): Promise<void> {
    for (const end of this.ends) await end();
  }
}
