import type { RunningServer } from '@curfew/server';
import assert from 'node:assert/strict';

/** Every row of every table: what must be the same before and after something that was refused. */
export const ledgerRows = (ledger: Pick<RunningServer['ledger'], 'read'>): Promise<string> =>
  ledger.read(async (db) => {
    const tables = await db.introspection.getTables();
    const rows: unknown[] = [];
    for (const { name } of tables) {
      // Not of the ledger's own life: servers say there that they live.
      if (name === 'replica') continue;
      const found = await db
        .selectFrom(name as 'change')
        .selectAll()
        .execute();
      // In no order of its own, which a database may change at any time.
      rows.push([name, found.map((row) => JSON.stringify(row)).sort()]);
    }
    assert.ok(rows.length > 10);
    return JSON.stringify(rows);
  });
