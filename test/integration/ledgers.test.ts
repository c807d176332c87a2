import { SqliteLedger } from '@curfew/server';
import { ManualClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { sql } from 'kysely';
import { join } from 'node:path';
import { askedPostgres } from '../support/ledger-of-tests.js';
import { ledgerContract, noteKey } from '../support/ledger-contract.js';
import { postgresSchema, sqliteSchema } from '../support/ledger-schema.js';
import { PostgresLedgerStage } from '../support/postgres-ledger-stage.js';
import { whyNoPostgres, type PostgresVersion } from '../support/postgres-server.js';
import { scratchFolder } from '../support/scratch.js';

describe('the ledger on SQLite', function () {
  this.timeout(60_000);
  let folder: string;
  const another = () => {
    const fatal = (error: unknown) => assert.fail(String(error));
    const file = join(folder, 'ledger.db');
    return SqliteLedger.open({ file, clock: new ManualClock(), random: systemRandom, noteKey, fatal });
  };
  ledgerContract({
    refusal: /FOREIGN KEY constraint failed/,
    begin: () => {
      folder = scratchFolder('ledger');
      return another();
    },
    another,
    end: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  });
});

describe('a ledger on SQLite that a newer server has written', function () {
  this.timeout(60_000);

  it('is refused, and left as it is', async () => {
    const folder = scratchFolder('ledger');
    const file = join(folder, 'ledger.db');
    const fatal = (error: unknown) => assert.fail(String(error));
    const open = () => SqliteLedger.open({ file, clock: new ManualClock(), random: systemRandom, noteKey, fatal });
    try {
      const ledger = await open();
      await ledger.write(({ db }) =>
        sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2027-01-01')`.execute(db),
      );
      await ledger.close();
      const before = readFileSync(file);
      await assert.rejects(open(), {
        code: 'LEDGER_NEWER',
        message: /newer server has written .*ledger\.db \(9999-later\)/,
      });
      assert.deepEqual(readFileSync(file), before);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Those between are fetched for who asks for them. */
const VERSIONS: ReadonlySet<PostgresVersion> = new Set([15, 18, askedPostgres() ?? 15]);

for (const version of VERSIONS)
  describe(`the ledger on PostgreSQL ${version}`, function () {
    const reason = whyNoPostgres(version);
    if (reason !== '') {
      it(`left out: ${reason}`);
      return;
    }
    this.timeout(60_000);
    const stage = new PostgresLedgerStage(version);
    before(function () {
      // One that was never run here is fetched first.
      this.timeout(300_000);
      return stage.start();
    });
    after(() => stage.stop());
    ledgerContract(stage);

    it('goes on beside a server that is one step newer, and is refused by one that is older by more', async () => {
      const ledger = await stage.begin();
      const step = (name: string) =>
        stage.server.run(`insert into kysely_migration (name, timestamp) values ('${name}', '2030-01-01')`);
      try {
        await step('9998-of-the-next-version');
        const beside = await stage.another();
        await beside.write((tx) => Promise.resolve(tx.changed('user', 'u')));
        await beside.close();
        await step('9999-of-the-one-after-it');
        await assert.rejects(stage.another(), { code: 'STORAGE_UNSAFE', message: /newer by 9998-.*, 9999-/ });
      } finally {
        await ledger.close();
      }
    });

    it('has the schema of the one on SQLite: columns, references, rules by name, moves', async () => {
      const parts = { clock: new ManualClock(), random: systemRandom, noteKey };
      const embedded = await SqliteLedger.open({
        file: ':memory:',
        fatal: (error) => assert.fail(String(error)),
        ...parts,
      });
      const ledger = await stage.begin();
      try {
        const wanted = await sqliteSchema(embedded);
        assert.ok(wanted.columns.length > 250 && wanted.references.length > 30 && wanted.rules.length > 100);
        const found = await postgresSchema(ledger, wanted.rules);
        for (const part of ['columns', 'references', 'rules', 'moves'] as const)
          assert.deepEqual(found[part], wanted[part], part);
      } finally {
        await ledger.close();
        await embedded.close();
      }
    });
  });
