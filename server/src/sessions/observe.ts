import { END_REASONS, type EndReason, type InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import { deviceActor } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { UseCaseContext } from '../use-case-context.js';
import { endSessions } from './end-sessions.js';
import { noteMoves } from './session-record.js';

/** What a device says that it holds, and what ended on it. */
export interface Observation {
  readonly generation: number;
  readonly held: readonly { readonly sessionId: string; readonly epoch: number }[];
  readonly ended: readonly {
    readonly sessionId: string;
    readonly reason: EndReason;
    readonly code: string;
    readonly detail: string;
  }[];
}

/**
 * Applies a device's whole observed state to its sessions, and to no other device's. A session becomes active when the
 * device holds it under an epoch of its own, and ended when the device no longer does after it has applied the
 * generation that ended it. Idempotent: an old or repeated observation does no harm.
 */
export function observe(context: UseCaseContext, device: DeviceRow, observation: Observation): Promise<void> {
  return context.ledger.write(async (tx) => {
    const now = context.clock.now();
    const rows = await tx.db
      .selectFrom('session')
      .select(['id', 'state', 'epoch', 'ending_generation'])
      .where('device_id', '=', device.id)
      .where('state', '<>', 'ended')
      .execute();
    const held = new Map(observation.held.map((grant) => [grant.sessionId, grant.epoch]));
    const ended = new Map(observation.ended.map((grant) => [grant.sessionId, grant]));
    for (const row of rows) {
      const end = ended.get(row.id);
      if (row.state === 'starting' && held.has(row.id)) await activate(tx, device, row.id, now);
      else if (end !== undefined && row.state !== 'ending')
        await endedByDevice(tx, device, row.id, row.state === 'starting', end, now);
      else if (
        row.state === 'ending' &&
        !held.has(row.id) &&
        (end !== undefined || observation.generation >= (row.ending_generation ?? Infinity))
      )
        await confirmEnd(tx, device, row.id, now);
    }
    if (observation.generation > device.applied_generation) {
      await tx.db
        .updateTable('device')
        .set({ applied_generation: observation.generation })
        .where('id', '=', device.id)
        .where('applied_generation', '<', observation.generation)
        .execute();
    }
  });
}

async function activate(tx: LedgerTransaction, device: DeviceRow, id: string, now: InstantMs): Promise<void> {
  await noteMoves(tx.db, [id], 'active', now);
  tx.audit({ type: 'session.active', actor: deviceActor(device), subject: id });
  const revision = tx.changed('session', id);
  await tx.db
    .updateTable('session')
    .set({ state: 'active', seq: sql`seq + 1`, active_at_ms: now, revision })
    .where('id', '=', id)
    .execute();
}

/** The device ended it, or refused it, by itself. */
async function endedByDevice(
  tx: LedgerTransaction,
  device: DeviceRow,
  id: string,
  starting: boolean,
  end: Observation['ended'][number],
  now: InstantMs,
): Promise<void> {
  const detail = [end.code, end.detail].filter(Boolean).join(': ');
  const reason = END_REASONS.includes(end.reason) ? end.reason : 'failed';
  if (!(starting && reason === 'refused_by_device')) {
    const by = reason === 'ended_by_user' ? 'the person' : '';
    await endSessions(tx, now, { ids: [id] }, { reason, by, actor: deviceActor(device), detail });
    await confirmEnd(tx, device, id, now);
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

async function confirmEnd(tx: LedgerTransaction, device: DeviceRow, id: string, now: InstantMs): Promise<void> {
  await noteMoves(tx.db, [id], 'ended', now);
  tx.audit({ type: 'session.ended', actor: deviceActor(device), subject: id });
  const revision = tx.changed('session', id);
  await tx.db
    .updateTable('session')
    .set({ state: 'ended', seq: sql`seq + 1`, ended_at_ms: now, revision })
    .where('id', '=', id)
    .execute();
}
