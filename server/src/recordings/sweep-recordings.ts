import { readMeta } from '../ledger/ledger-meta.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { RecordingStore, SessionEnd } from './recording-store.js';

/** How many sessions or devices are looked up at once. */
const AT_ONCE = 500;

/**
 * Brings recordings up to what the ledger says: which sessions are over, which devices are gone. Deletes what is kept no
 * longer; that is in the audit log, with how much it is, before it is done.
 */
export async function sweepRecordings(context: UseCaseContext, store: RecordingStore, keepMs: number): Promise<void> {
  await noteEnds(context, store);
  await endThoseOfRemoved(context, store);
  const now = context.clock.now();
  const due = await store.due(now, keepMs);
  if (due.recordings > 0)
    await context.ledger.write(async (tx) => {
      const { id } = await readMeta(tx.db);
      tx.audit({ type: 'recordings.deleted', actor: { kind: 'server' }, subject: id, data: { ...due } });
    });
  // Also without anything new: a server that was killed in the middle goes on.
  await store.deleteDue(now, keepMs);
}

async function noteEnds({ ledger, clock }: UseCaseContext, store: RecordingStore): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const ids: string[] = await store.openSessions(after, AT_ONCE);
    after = ids.length === AT_ONCE ? ids.at(-1) : undefined;
    if (ids.length === 0) continue;
    const known = await ledger.read((db) =>
      db
        .selectFrom('session')
        .select(['id', 'state', 'ended_at_ms', 'record_keep_ms'])
        .where('id', 'in', ids)
        .execute(),
    );
    const sessions = new Map(known.map((session) => [session.id, session]));
    const ends = ids.flatMap((sessionId): SessionEnd[] => {
      const session = sessions.get(sessionId);
      // The ledger was restored, and has lost the session.
      if (session === undefined) return [{ sessionId, endedAtMs: clock.now(), keepMs: null }];
      const { ended_at_ms: endedAtMs, record_keep_ms } = session;
      return endedAtMs === null ? [] : [{ sessionId, endedAtMs, keepMs: record_keep_ms }];
    });
    if (ends.length > 0) await store.noteEnded(ends);
  }
}

/** Whoever waits for the end of such a recording would wait for ever. */
async function endThoseOfRemoved({ ledger }: UseCaseContext, store: RecordingStore): Promise<void> {
  const ids = await store.openDevices();
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const some = ids.slice(at, at + AT_ONCE);
    const known = await ledger.read((db) =>
      db.selectFrom('device').select('id').where('id', 'in', some).where('state', '<>', 'removed').execute(),
    );
    const there = new Set(known.map(({ id }) => id));
    for (const id of some) if (!there.has(id)) await store.endOpenOf(id);
  }
}
