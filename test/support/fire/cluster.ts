import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { AlternatingProxy } from '../alternating-proxy.js';
import { ControlPlane } from '../control-plane.js';
import { postgresOptions } from '../ledger-of-tests.js';
import { PostgresServer } from '../postgres-server.js';
import { scratchFolder } from '../scratch.js';
import { TcpProxy } from '../tcp-proxy.js';

/** All callers are at one address, and what is tried here is not the limits. */
const UNLIMITED = {
  CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000000',
  CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '1000000',
};
/** How long a server waits before it is started once more, as a service manager has it. */
const RESTART_MS = 500;

/** One of several servers, with a network of its own to PostgreSQL. */
export class Server {
  constructor(
    readonly plane: ControlPlane,
    readonly line: TcpProxy,
  ) {}

  /** Starts it anew, as often as that takes: it ends by itself when it cannot reach PostgreSQL. */
  async restart(): Promise<void> {
    for (;;) {
      try {
        await this.plane.run();
        return;
      } catch {
        await this.plane.stop('SIGKILL');
        await pause(RESTART_MS);
      }
    }
  }
}

/** Several servers on one PostgreSQL, and a balancer before them for every device. */
export class Cluster {
  private constructor(
    readonly postgres: PostgresServer,
    readonly servers: readonly Server[],
    readonly balancer: AlternatingProxy,
    private readonly folder: string,
  ) {}

  /** Starts so many servers. `env` is added to the environment of the first one, and of no other. */
  static async start(count: number, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
    const folder = scratchFolder('cluster');
    const postgres = await PostgresServer.start(15, { fsync: 'on', max_connections: '100' });
    const servers: Server[] = [];
    try {
      const options = await postgresOptions(postgres, folder);
      for (let at = 0; at < count; at++) {
        const line = await TcpProxy.start({ target: { host: '127.0.0.1', port: postgres.port } });
        const url = new URL(options['CURFEW_LEDGER_URL'] ?? '');
        url.port = String(line.port);
        const own = { ...options, CURFEW_LEDGER_URL: url.href, ...UNLIMITED, ...env };
        servers.push(new Server(await ControlPlane.start(own), line));
      }
      const ports = servers.map(({ plane }) => plane.port);
      return new Cluster(postgres, servers, await AlternatingProxy.start(ports, '0.0.0.0'), folder);
    } catch (error) {
      for (const { plane, line } of servers) await plane.dispose().finally(() => line.close());
      await postgres.stop();
      throw error;
    }
  }

  /** The first server: all others have its owner. */
  get first(): ControlPlane {
    const [server] = this.servers;
    if (server === undefined) throw new Error('there is no server');
    return server.plane;
  }

  async dispose(): Promise<void> {
    await this.balancer.close();
    for (const { plane, line } of this.servers) {
      await plane.stop('SIGKILL');
      await plane.dispose();
      await line.close();
    }
    await this.postgres.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
