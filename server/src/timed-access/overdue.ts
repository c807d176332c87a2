import { formatDuration, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerTransaction } from '../ledger/ledger.js';

/**
 * Tells operators, once for each resource and with one event, of sessions that a resource has not confirmed for longer than
 * `afterMs`. Returns how many events.
 */
export async function noticeOverdue(tx: LedgerTransaction, now: InstantMs, afterMs: number): Promise<number> {
  const since = sql<number>`coalesce(s.ending_at_ms, s.created_at_ms)`;
  const rows = await tx.db
    .selectFrom('resource_grant as g')
    .innerJoin('session as s', 's.id', 'g.session_id')
    .innerJoin('resource as r', 'r.id', 'g.resource_id')
    .leftJoin('connector as c', 'c.id', 'r.connector_id')
    .select(['g.session_id', 'g.attempt_error', 's.state', 'r.id', 'r.name', 'c.last_error', since.as('since_ms')])
    .where(sql<boolean>`g.due_at_ms is not null`)
    .where('g.noticed_at_ms', 'is', null)
    .where('s.state', 'in', ['starting', 'ending'])
    .where(sql<boolean>`${since} <= ${now - afterMs}`)
    .execute();
  const byResource = new Map<string, typeof rows>();
  for (const row of rows) byResource.set(row.id, [...(byResource.get(row.id) ?? []), row]);
  for (const [id, overdue] of byResource) {
    const [first] = overdue;
    if (first === undefined) continue;
    const longestMs = now - Math.min(...overdue.map((row) => row.since_ms));
    tx.audit({
      type: 'resource.unconfirmed',
      actor: { kind: 'server' },
      subject: id,
      data: {
        name: first.name,
        ending: overdue.filter(({ state }) => state === 'ending').length,
        starting: overdue.filter(({ state }) => state === 'starting').length,
        for: formatDuration(longestMs),
        error: first.attempt_error === '' ? (first.last_error ?? '') : first.attempt_error,
        sessions: overdue.slice(0, 20).map(({ session_id: session }) => session),
      },
    });
    for (const { session_id: session } of overdue)
      await tx.db.updateTable('resource_grant').set({ noticed_at_ms: now }).where('session_id', '=', session).execute();
  }
  return byResource.size;
}
