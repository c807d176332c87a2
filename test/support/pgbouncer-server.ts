import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from './postgres-server.js';
import { ownedFolder } from './scratch.js';
import { freePort, ServerProcess, type RunAs } from './server-process.js';
import { eventually } from './wait.js';

/** What a connection of a client shares with others: none of PostgreSQL's, or one between two of its transactions. */
export type PoolMode = 'session' | 'transaction';

/** A real PgBouncer before a PostgreSQL, with the settings that it comes with. */
export class PgBouncerServer {
  private constructor(
    readonly port: number,
    private readonly process: ServerProcess,
    private readonly folder: string,
  ) {}

  static async start(postgres: PostgresServer, mode: PoolMode, runAs: RunAs | undefined): Promise<PgBouncerServer> {
    const folder = ownedFolder('/tmp', 'curfew-pgbouncer-');
    const port = await freePort();
    const { user, password } = postgres.superuser;
    const users = join(folder, 'users');
    const settings = join(folder, 'pgbouncer.ini');
    writeFileSync(users, `"${user}" "${password}"\n`);
    writeFileSync(
      settings,
      `[databases]
* = host=127.0.0.1 port=${postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
default_pool_size = 40
`,
    );
    if (runAs !== undefined) for (const path of [folder, users, settings]) chownSync(path, runAs.uid, runAs.gid);
    const child = ServerProcess.start(['/usr/sbin/pgbouncer', settings], runAs);
    const server = new PgBouncerServer(port, child, folder);
    try {
      await eventually(() => child.log.includes('process up'), { withinMs: 20_000, what: 'PgBouncer is up' });
      return server;
    } catch (error) {
      await server.stop();
      throw new Error(child.log, { cause: error });
    }
  }

  async stop(): Promise<void> {
    await this.process.stop('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
