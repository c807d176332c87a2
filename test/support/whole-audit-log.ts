import type { Ledger } from '@curfew/server/parts';
import { leafHash, MerkleFrontier } from '@curfew/shared';
import assert from 'node:assert/strict';

/** The newest checkpoint is over exactly the events that there are. */
export async function assertWholeAuditLog(ledger: Pick<Ledger, 'read'>): Promise<void> {
  const { events, note } = await ledger.read(async (db) => ({
    events: await db.selectFrom('audit_event').select(['idx', 'record']).orderBy('idx').execute(),
    note: (
      await db.selectFrom('audit_checkpoint').select('note').orderBy('size', 'desc').limit(1).executeTakeFirstOrThrow()
    ).note,
  }));
  const tree = MerkleFrontier.empty();
  for (const [at, { idx, record }] of events.entries()) {
    assert.equal(idx, at);
    tree.append(leafHash(record));
  }
  const [, size, root] = note.split('\n');
  assert.deepEqual([size, root], [String(events.length), tree.root().toString('base64')]);
}
