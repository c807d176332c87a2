import { SECOND } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';

/** How much later than the server a device may notice that its link is lost, and its remover act. */
export const OFFLINE_SLACK_MS = 15 * SECOND;

/** Since when a device's link is lost, as far as the server can know: no later than this. Undefined while it is up. */
export type LostSince = (deviceId: string, lastSeenMs: number | null) => number | undefined;

interface RuledSession {
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly held_until_ms: number | null;
  readonly offline_end_after_ms: number | null;
}

/** Until when a device may hold a right by what it was told last: its end, or a later one that was moved forward since. */
export const heldUntil = (session: Pick<RuledSession, 'expires_at_ms' | 'held_until_ms'>): number =>
  Math.max(session.expires_at_ms, session.held_until_ms ?? 0);

/**
 * When a right is gone by itself at the latest: its end, or with an offline rule the end of that time since its device's
 * link was lost, by the device's own clock.
 */
export function diesBy(session: RuledSession, lostSinceMs: number | undefined): number {
  const { created_at_ms, offline_end_after_ms: after } = session;
  if (after === null || lostSinceMs === undefined) return heldUntil(session);
  return Math.min(heldUntil(session), Math.max(lostSinceMs, created_at_ms) + after + OFFLINE_SLACK_MS);
}

/** The live sessions whose devices have been out of reach for longer than their policies allow. */
export async function overdueOffline(db: LedgerReader, now: number, lostSince: LostSince): Promise<string[]> {
  const rows = await db
    .selectFrom('session')
    .innerJoin('device', 'device.id', 'session.device_id')
    .select([
      'session.id',
      'device.id as device_id',
      'created_at_ms',
      'expires_at_ms',
      'held_until_ms',
      'offline_end_after_ms',
      'last_seen_at_ms',
    ])
    .where(sql<boolean>`offline_end_after_ms is not null and session.state in ('starting', 'active')`)
    .execute();
  return rows.flatMap((row) => {
    const lost = lostSince(row.device_id, row.last_seen_at_ms);
    return lost !== undefined && diesBy(row, lost) <= now ? [row.id] : [];
  });
}
