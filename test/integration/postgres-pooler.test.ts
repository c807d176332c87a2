import { PostgresLedger, type Ledger } from '@curfew/server/parts';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { noteKey } from '../support/ledger-contract.js';
import { describeOn } from '../support/machine-needs.js';
import { PgBouncerServer, type PoolMode } from '../support/pgbouncer-server.js';
import { PostgresServer, serverAccount } from '../support/postgres-server.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 20_000 } as const;

describeOn([{ postgres: 15 }, { program: 'pgbouncer' }], 'a ledger behind a pooler', function () {
  this.timeout(60_000);
  let postgres: PostgresServer;
  let pooler: PgBouncerServer | undefined;

  before(async () => {
    postgres = await PostgresServer.start(15, { fsync: 'on' });
  });
  after(() => postgres.stop());
  beforeEach(() => postgres.run('drop schema public cascade; create schema public'));
  afterEach(() => pooler?.stop());

  const pool = async (mode: PoolMode): Promise<string> => {
    pooler = await PgBouncerServer.start(postgres, mode, serverAccount());
    return postgres.urlWithoutTls(pooler.port);
  };
  const open = (url: string): Promise<Ledger> =>
    PostgresLedger.open({ url, noteKey, clock: new SystemClock(), random: systemRandom, logger: silentLogger });
  const note = (ledger: Ledger, id: string) => ledger.write((tx) => Promise.resolve(tx.changed('user', id)));

  it('works where a connection belongs to a client for as long as it likes: one leads, and each hears the other', async () => {
    const url = await pool('session');
    const [first, second] = [await open(url), await open(url)];
    const ledgers = new Set([first, second]);
    try {
      const heard: string[] = [];
      second.onChange((changes) => heard.push(...changes.map(({ id }) => id)));
      await note(first, 'a');
      await eventually(() => heard.includes('a'), SOON);
      const hearing = `select count(*) from pg_stat_activity where query like 'listen%'`;
      assert.equal(await postgres.run(hearing), '2');
      assert.deepEqual([first.leads, second.leads], [true, false]);
      ledgers.delete(first);
      await first.close();
      await eventually(() => second.leads, SOON);
      await note(second, 'b');
      assert.deepEqual(
        heard.filter((id) => id.length === 1),
        ['a', 'b'],
      );
    } finally {
      for (const ledger of ledgers) await ledger.close();
    }
  });

  it('is refused where connections are shared between transactions, with nothing made', async () => {
    const url = await pool('transaction');
    await assert.rejects(open(url), { code: 'STORAGE_UNSAFE', message: /shares connections between transactions/ });
    assert.equal(await postgres.run(`select count(*) from pg_tables where schemaname = 'public'`), '0');
  });
});
