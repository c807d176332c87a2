import { END_REASONS, type EndReason, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import { deviceActor } from '../devices/device-actor.js';
import type { DeviceRow } from '../devices/find-device.js';
import { OPEN_STATES } from '../ledger/conditions.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import type { Tables } from '../ledger/tables.js';
import type { ConfirmedMove } from '../metrics/measures.js';
import { endSessions } from './end-sessions.js';
import { heldUntil } from './offline-end.js';
import { noteMoves } from './session-record.js';

/** What a device says that it holds, and what ended on it. */
export interface Observation {
  /** The ledger's life that the generation is counted in. */
  readonly incarnation: number;
  readonly generation: number;
  readonly held: readonly { readonly sessionId: string; readonly epoch: number }[];
  readonly ended: readonly {
    readonly sessionId: string;
    readonly reason: EndReason;
    readonly code: string;
    readonly detail: string;
  }[];
}

/** An observation and whose it is. */
export interface DeviceObservation extends Observation {
  readonly device: DeviceRow;
}

/** How many devices' observations are compared by one statement. */
const CHUNK = 10_000;

/**
 * Applies the whole observed states of devices, one for each, to their sessions and to no other device's. A session
 * becomes active when the device holds it, and ended when the device no longer does after it has applied the generation
 * that ended it. Idempotent: an old or repeated observation does no harm. Returns what the devices have confirmed by it.
 */
export async function observe(
  tx: LedgerTransaction,
  now: InstantMs,
  observations: readonly DeviceObservation[],
): Promise<ConfirmedMove[]> {
  const { incarnation } = await readMeta(tx.db);
  const moves: ConfirmedMove[] = [];
  for (let at = 0; at < observations.length; at += CHUNK) {
    const chunk = await believable(tx.db, observations.slice(at, at + CHUNK));
    if (chunk.length === 0) continue;
    moves.push(...(await moveSessions(tx, now, incarnation, chunk)));
    await noteGenerations(
      tx.db,
      incarnation,
      chunk.filter(({ isFormer }) => !isFormer),
    );
  }
  return moves;
}

/** An observation with what the ledger says of its device now. */
interface Witnessed extends DeviceObservation {
  /** Since when the device has its present key; 0 when it has its first. */
  readonly keySinceMs: number;
  /** Whether it comes from an installation before, whose key was replaced. */
  readonly isFormer: boolean;
}

/** While two agents use one identity, what one of them says proves nothing about the other. */
async function believable(db: LedgerReader, observations: readonly DeviceObservation[]): Promise<Witnessed[]> {
  const ids = observations.map(({ device }) => device.id);
  const rows = await db
    .selectFrom('device')
    .select(['id', 'state', 'key_hash', 'key_since_ms'])
    .where('id', 'in', ids)
    .execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  return observations.flatMap((observation) => {
    const row = known.get(observation.device.id);
    if (row === undefined || row.state === 'identity_conflict') return [];
    const isFormer = row.key_hash !== observation.device.key_hash;
    return [{ ...observation, keySinceMs: row.key_since_ms ?? 0, isFormer }];
  });
}

/**
 * Whether an observation can say anything of a session. A device that was enrolled anew does not know what the installation
 * before it holds, until that has ended by itself; and that one knows of no session that came after it.
 */
function concerns(
  { keySinceMs, isFormer }: Witnessed,
  row: Pick<Tables['session'], 'state' | 'created_at_ms' | 'expires_at_ms'> & { readonly held_until_ms: number | null },
  isNamed: boolean,
  now: InstantMs,
): boolean {
  const isOfFormer = row.created_at_ms <= keySinceMs;
  if (isFormer) return isOfFormer;
  return !isOfFormer || row.state !== 'ending' || isNamed || heldUntil(row) <= now;
}

/** What a device says of another incarnation's generations proves nothing about this one's. */
const generationOf = (observation: Observation, incarnation: number): number =>
  observation.incarnation === incarnation ? observation.generation : 0;

async function moveSessions(
  tx: LedgerTransaction,
  now: InstantMs,
  incarnation: number,
  observations: readonly Witnessed[],
): Promise<ConfirmedMove[]> {
  const byDevice = new Map(observations.map((observation) => [observation.device.id, observation]));
  const rows = await tx.db
    .selectFrom('session')
    .select(['id', 'device_id', 'state', 'ending_generation', 'kind'])
    .select(['created_at_ms', 'expires_at_ms', 'held_until_ms', 'ending_at_ms', 'end_reason', 'epoch'])
    .where('device_id', 'in', [...byDevice.keys()])
    .where('state', 'in', OPEN_STATES)
    .execute();
  const [activated, confirmed]: [Moved[], Moved[]] = [[], []];
  const knowTheirEnd: string[] = [];
  const endedThere: (() => Promise<void>)[] = [];
  const moves: ConfirmedMove[] = [];
  for (const row of rows) {
    const observation = byDevice.get(row.device_id ?? '');
    if (observation === undefined) continue;
    const { device } = observation;
    const lease = observation.held.find(({ sessionId }) => sessionId === row.id);
    const held = lease !== undefined;
    const end = observation.ended.find(({ sessionId }) => sessionId === row.id);
    if (!concerns(observation, row, end !== undefined, now)) continue;
    const { id: sessionId, kind } = row;
    if (row.held_until_ms !== null && held && lease.epoch >= row.epoch) knowTheirEnd.push(sessionId);
    if (row.state === 'starting' && held) {
      activated.push({ id: row.id, device });
      moves.push({ sessionId, kind, endReason: null, tookMs: now - row.created_at_ms });
    } else if (end !== undefined && row.state !== 'ending') {
      endedThere.push(() => endedByDevice(tx, { id: row.id, device }, row.state === 'starting', end, now));
      moves.push({ sessionId, kind, endReason: end.reason, tookMs: null });
    } else if (
      row.state === 'ending' &&
      !held &&
      (end !== undefined || generationOf(observation, incarnation) >= (row.ending_generation ?? Infinity))
    ) {
      confirmed.push({ id: row.id, device });
      moves.push({ sessionId, kind, endReason: row.end_reason, tookMs: now - (row.ending_at_ms ?? now) });
    }
  }
  if (knowTheirEnd.length > 0)
    await tx.db.updateTable('session').set({ held_until_ms: null }).where('id', 'in', knowTheirEnd).execute();
  await confirm(tx, activated, 'active', now);
  for (const end of endedThere) await end();
  await confirm(tx, confirmed, 'ended', now);
  return moves;
}

interface Moved {
  readonly id: string;
  readonly device: Pick<DeviceRow, 'id' | 'name'>;
}

/** Devices have confirmed that they hold sessions, or that they do not any more. */
export async function confirm(
  tx: LedgerTransaction,
  moved: readonly Moved[],
  to: 'active' | 'ended',
  now: InstantMs,
): Promise<void> {
  if (moved.length === 0) return;
  const ids = moved.map(({ id }) => id);
  await noteMoves(tx.db, ids, to, now);
  let revision = 0;
  for (const { id, device } of moved) {
    tx.audit({ type: `session.${to}`, actor: deviceActor(device), subject: id });
    revision = tx.changed('session', id);
  }
  await tx.db
    .updateTable('session')
    .set({
      state: to,
      seq: sql`seq + 1`,
      revision,
      ...(to === 'active' ? { active_at_ms: now } : { ended_at_ms: now }),
    })
    .where('id', 'in', ids)
    .execute();
}

/** The device ended it, or refused it, by itself. */
async function endedByDevice(
  tx: LedgerTransaction,
  { id, device }: Moved,
  starting: boolean,
  end: Observation['ended'][number],
  now: InstantMs,
): Promise<void> {
  const detail = [end.code, end.detail].filter(Boolean).join(': ');
  const reason = END_REASONS.includes(end.reason) ? end.reason : 'failed';
  if (!(starting && reason === 'refused_by_device')) {
    const by = reason === 'ended_by_user' ? 'the person' : '';
    await endSessions(tx, now, { ids: [id] }, { reason, by, actor: deviceActor(device), detail });
    await confirm(tx, [{ id, device }], 'ended', now);
    return;
  }
  await noteMoves(tx.db, [id], 'ended', now);
  tx.audit({ type: 'session.refused', actor: deviceActor(device), subject: id, data: { detail } });
  await tx.db
    .updateTable('device')
    .set({ generation: sql`generation + 1` })
    .where('id', '=', device.id)
    .execute();
  const revision = tx.changed('session', id, device.id);
  await tx.db
    .updateTable('session')
    .set({
      state: 'ended',
      seq: sql`seq + 1`,
      ending_at_ms: now,
      ended_at_ms: now,
      end_reason: reason,
      end_detail: detail,
      revision,
    })
    .where('id', '=', id)
    .execute();
}

/** Notes which generation each device has applied: in one statement those that are up to date, as nearly all are. */
async function noteGenerations(
  db: LedgerReader,
  incarnation: number,
  observations: readonly DeviceObservation[],
): Promise<void> {
  const applied = new Map(observations.map((one) => [one.device.id, generationOf(one, incarnation)]));
  const rows = await db
    .selectFrom('device')
    .select(['id', 'generation', 'applied_generation'])
    .where('id', 'in', [...applied.keys()])
    .execute();
  const behind = rows.flatMap((row) => {
    const now = applied.get(row.id) ?? 0;
    return now > row.applied_generation ? [{ id: row.id, now, upToDate: now === row.generation }] : [];
  });
  const upToDate = behind.filter((device) => device.upToDate).map(({ id }) => id);
  if (upToDate.length > 0)
    await db
      .updateTable('device')
      .set({ applied_generation: sql`generation` })
      .where('id', 'in', upToDate)
      .execute();
  for (const { id, now } of behind.filter((device) => !device.upToDate))
    await db.updateTable('device').set({ applied_generation: now }).where('id', '=', id).execute();
}
