import type { RunningServer } from '@curfew/server';
import assert from 'node:assert/strict';
import { eventually } from './wait.js';

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

/** The same, once two looks in a row see the same: what a device has said is written down after it was answered. */
export async function ledgerAtRest(ledger: Pick<RunningServer['ledger'], 'read'>, everyMs = 200): Promise<string> {
  let seen = '';
  const atRest = async (): Promise<boolean> => {
    const before = seen;
    seen = await ledgerRows(ledger);
    return seen === before;
  };
  await eventually(atRest, { withinMs: 30_000, everyMs, what: 'a ledger that stays as it is' });
  return seen;
}
