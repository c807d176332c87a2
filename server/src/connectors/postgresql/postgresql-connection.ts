import { Socket } from 'node:net';
import pg from 'pg';
import type { TargetGuard } from '../../notifiers/targets/target-guard.js';
import { ConnectorError } from '../connector.js';
import { checkEndpoint, type Endpoint } from '../guarded-socket.js';
import { stoppable } from '../stoppable.js';
import { postgresqlError } from './postgresql-errors.js';

/** How a server is reached. */
export interface ServerAddress extends Endpoint {
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly isEncrypted: boolean;
  /** PEM; '' for the authorities that Node knows. */
  readonly ca: string;
}

/** No statement runs longer on the server than this, ms: also one whose caller has gone. */
const STATEMENT_LIMIT_MS = 15_000;

/** The oldest version that is supported: the first whose pg_terminate_backend waits. */
const OLDEST = 140_000;

/**
 * What each connection begins with. Names are looked up in the system's own schema alone, so that nothing that somebody
 * put into another one is called in its stead.
 */
const BEGIN = `
  select pg_catalog.set_config('search_path', 'pg_catalog', false),
         pg_catalog.set_config('statement_timeout', '${STATEMENT_LIMIT_MS}', false),
         pg_catalog.current_setting('server_version_num')::int as version,
         pg_catalog.current_setting('server_version') as release,
         current_user::text as user`;

/** One signed-in connection to a server. Errors of every method: ConnectorError. */
export class PostgresqlConnection {
  /** Such as 150020. */
  version = 0;
  /** The version as people say it. */
  release = '';
  /** The role that Curfew is there. */
  user = '';
  /** How many statements were answered. */
  answers = 0;
  private isLost = false;

  private constructor(
    private readonly client: pg.Client,
    private readonly socket: Socket,
    private readonly where: string,
  ) {
    client.on('error', () => (this.isLost = true));
    client.on('end', () => (this.isLost = true));
  }

  static async open(address: ServerAddress, guard: TargetGuard, signal: AbortSignal): Promise<PostgresqlConnection> {
    checkEndpoint(guard, address);
    const { host, port, database, user, password, isEncrypted, ca } = address;
    // An empty value would make the library look for one in the environment and in files of this machine.
    if (password === '' || user === '') throw new ConnectorError('refused', 'there is no user or no password');
    const socket = guardedSocket(guard);
    const client = new pg.Client({
      ...{ host, port, database, user, password },
      ssl: isEncrypted && { minVersion: 'TLSv1.2', ...(ca !== '' && { ca }) },
      stream: () => socket,
      keepAlive: true,
      application_name: 'curfew',
    });
    const connection = new PostgresqlConnection(client, socket, `${host}:${port}`);
    try {
      await stoppable(signal, connection.begin(), () => connection.destroy());
    } catch (error) {
      connection.destroy();
      throw postgresqlError(error, connection.where);
    }
    return connection;
  }

  get isOpen(): boolean {
    return !this.isLost && !this.socket.destroyed;
  }

  /** Runs one statement. Values are never part of its text. */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<readonly Row[]> {
    try {
      const { rows } = await this.client.query<Row>(text, values);
      this.answers++;
      return rows;
    } catch (error) {
      throw postgresqlError(error, this.where);
    }
  }

  destroy(): void {
    this.isLost = true;
    this.socket.destroy();
  }

  private async begin(): Promise<void> {
    await this.client.connect();
    const [row] = await this.query<{ version: number; release: string; user: string }>(BEGIN);
    if (row === undefined) throw new ConnectorError('unreachable', `${this.where} does not say what it is`);
    ({ version: this.version, release: this.release, user: this.user } = row);
    if (this.version < OLDEST) {
      throw new ConnectorError(
        'refused',
        `PostgreSQL ${this.release} is older than 14, which is the oldest that is known`,
      );
    }
  }
}

/** A socket that connects only where the guard lets it: the library looks up no name by itself. */
function guardedSocket(guard: TargetGuard): Socket {
  const socket = new Socket();
  const connect = socket.connect.bind(socket);
  return Object.assign(socket, {
    connect: (port: number, host: string) => connect({ port, host, lookup: guard.lookup }),
  });
}
