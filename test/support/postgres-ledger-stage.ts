import { PostgresLedger, type Ledger } from '@curfew/server/parts';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import { noteKey, type LedgerStage } from './ledger-contract.js';
import { PostgresServer, type PostgresVersion } from './postgres-server.js';

/** A PostgreSQL that keeps what it commits, with a ledger in it. */
export class PostgresLedgerStage implements LedgerStage {
  readonly refusal = /violates foreign key constraint "(session|request)_move_is_legal"/;
  private running: PostgresServer | undefined;

  constructor(private readonly version: PostgresVersion) {}

  async start(): Promise<void> {
    // A ledger is refused by a server that may forget.
    this.running = await PostgresServer.start(this.version, { fsync: 'on' });
  }

  get server(): PostgresServer {
    if (this.running === undefined) throw new Error('PostgreSQL was not started');
    return this.running;
  }

  /** Where a server finds its ledger. */
  get url(): string {
    return this.server.url;
  }

  begin(): Promise<Ledger> {
    return this.server.run('drop schema public cascade; create schema public').then(() => this.another());
  }

  another(): Promise<Ledger> {
    const parts = { clock: new SystemClock(), random: systemRandom, logger: silentLogger };
    return PostgresLedger.open({ url: this.url, noteKey, ...parts });
  }

  end(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.running?.stop();
  }
}
