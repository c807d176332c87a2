import { instantMs, type EndReason, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import { requestIdOf, type Actor } from '../audit/audit-entry.js';
import { IS_LIVE } from '../ledger/conditions.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { noteMoves } from './session-record.js';

/** Which live sessions. */
export type LiveSelection =
  | { readonly ids: readonly string[] }
  | { readonly userId: string }
  | { readonly deviceId: string }
  | { readonly resourceId: string }
  /** The first that are due, as many as end at once by themselves. */
  | { readonly dueBy: number }
  | { readonly everything: true };

/** Why they end, and by whom. */
export interface EndDecision {
  readonly reason: EndReason;
  /** A user's name, or ''. */
  readonly by: string;
  readonly actor: Actor;
  readonly detail: string;
}

/** How many ids one statement takes. */
const CHUNK = 10_000;

/** How many sessions whose time is over end in one transaction: the server answers nobody else meanwhile. */
const DUE_AT_ONCE = 400;

/**
 * Decides the end of live sessions: starting or active becomes ending, each device gets one new generation, what a
 * resource gives becomes due, a device's
 * revoked epoch rises, and its sessions that are still starting get epochs above it. Returns the ids that moved.
 */
export async function endSessions(
  tx: LedgerTransaction,
  now: InstantMs,
  which: LiveSelection,
  decision: EndDecision,
): Promise<string[]> {
  const live = await selectLive(tx.db, which);
  for (let at = 0; at < live.length; at += CHUNK) await endChunk(tx, now, live.slice(at, at + CHUNK), decision);
  return live.map(({ id }) => id);
}

/** When the next live session falls due; undefined when there is none. */
export async function nextEnd(db: LedgerReader): Promise<InstantMs | undefined> {
  const query = db.selectFrom('session').select('expires_at_ms').where(IS_LIVE).orderBy('expires_at_ms').limit(1);
  const next = await query.executeTakeFirst();
  return next === undefined ? undefined : instantMs(next.expires_at_ms);
}

type LiveRow = Awaited<ReturnType<typeof selectLive>>[number];

async function selectLive(db: LedgerReader, which: LiveSelection) {
  const base = db.selectFrom('session').select(['id', 'device_id', 'epoch']).where(IS_LIVE);
  if ('everything' in which) return base.execute();
  if ('userId' in which) return base.where('user_id', '=', which.userId).execute();
  if ('deviceId' in which) return base.where('device_id', '=', which.deviceId).execute();
  if ('resourceId' in which) return base.where('resource_id', '=', which.resourceId).execute();
  if ('dueBy' in which)
    return base.where('expires_at_ms', '<=', which.dueBy).orderBy('expires_at_ms').limit(DUE_AT_ONCE).execute();
  const rows: { id: string; device_id: string | null; epoch: number }[] = [];
  for (let at = 0; at < which.ids.length; at += CHUNK)
    rows.push(...(await base.where('id', 'in', which.ids.slice(at, at + CHUNK)).execute()));
  return rows;
}

async function endChunk(
  tx: LedgerTransaction,
  now: InstantMs,
  live: readonly LiveRow[],
  decision: EndDecision,
): Promise<void> {
  const ids = live.map(({ id }) => id);
  const epochs = new Map<string, number>();
  for (const { device_id: device, epoch } of live)
    if (device !== null) epochs.set(device, Math.max(epoch, epochs.get(device) ?? 0));
  const devices = [...epochs.keys()];
  if (devices.length > 0) {
    const revoked = sql.join([...epochs].map(([id, epoch]) => sql`(${id}, ${epoch})`));
    await sql`
      update device set generation = generation + 1, revoked_epoch = case when r.epoch > revoked_epoch then r.epoch else revoked_epoch end
      from (select column1 as id, cast(column2 as bigint) as epoch from (values ${revoked}) as v) as r where r.id = device.id`.execute(
      tx.db,
    );
  }
  await noteMoves(tx.db, ids, 'ending', now);
  let revision = 0;
  for (const row of live) {
    revision = tx.changed('session', row.id, row.device_id ?? '', true);
    tx.audit({
      type: `session.${decision.reason === 'revoked' ? 'revoked' : 'ending'}`,
      actor: decision.actor,
      subject: row.id,
      data: { reason: decision.reason, detail: decision.detail },
    });
  }
  await tx.db
    .updateTable('session')
    .set({
      state: 'ending',
      seq: sql`seq + 1`,
      ending_at_ms: now,
      ending_generation: sql`(select generation from device where device.id = session.device_id)`,
      end_reason: decision.reason,
      ended_by: decision.by,
      end_detail: decision.detail,
      end_request_id: requestIdOf(decision.actor) ?? '',
      revision,
    })
    .where('id', 'in', ids)
    .execute();
  await renewStartingEpochs(tx.db, devices);
}

/** Gives sessions that no device holds yet epochs above everything that was revoked. */
async function renewStartingEpochs(db: LedgerReader, devices: readonly string[]): Promise<void> {
  const starting = await db
    .selectFrom('session')
    .select(['id', 'device_id'])
    .where('state', '=', 'starting')
    .where('device_id', 'in', devices)
    .execute();
  for (const row of starting) if (row.device_id !== null) await giveEpoch(db, row.id, row.device_id);
}

/** Has a live session's new end carried out where the right is: a new lease, or another word to the resource. */
export async function renewRight(
  tx: LedgerTransaction,
  sessionId: string,
  deviceId: string | null,
  now: InstantMs,
): Promise<void> {
  if (deviceId === null || deviceId === '') {
    await tx.db
      .updateTable('resource_grant')
      .set({ due_at_ms: now })
      .where('session_id', '=', sessionId)
      .where('phase', '<>', 'gone')
      .execute();
    return;
  }
  await tx.db
    .updateTable('device')
    .set({ generation: sql`generation + 1` })
    .where('id', '=', deviceId)
    .execute();
  await giveEpoch(tx.db, sessionId, deviceId);
}

/** Gives a session the device's next epoch and returns it. */
export async function giveEpoch(db: LedgerReader, sessionId: string, deviceId: string): Promise<number> {
  const { epoch } = await db
    .updateTable('device')
    .set({ epoch: sql`epoch + 1` })
    .where('id', '=', deviceId)
    .returning('epoch')
    .executeTakeFirstOrThrow();
  await db.updateTable('session').set({ epoch }).where('id', '=', sessionId).execute();
  return epoch;
}
