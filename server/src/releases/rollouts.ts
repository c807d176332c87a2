import { CurfewError, durationMs, isNewerVersion, MINUTE, newId } from '@curfew/shared';
import type { Selectable } from 'kysely';
import type { Actor } from '../audit/audit-entry.js';
import { findDevice, type DeviceRow } from '../devices/find-device.js';
import { IS_NOT_REMOVED } from '../ledger/conditions.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { isChosen } from './is-chosen.js';

type RolloutRow = Selectable<Tables['rollout']>;

/** What a device of a rollout says. */
interface RolloutDeviceRecord extends Pick<
  DeviceRow,
  'id' | 'name' | 'update_state' | 'update_version' | 'update_code' | 'update_detail'
> {
  readonly agentVersion: string;
}

/** A rollout and how far it has come. */
export interface RolloutRecord extends Omit<RolloutRow, 'device_ids'> {
  readonly deviceIds: readonly string[];
  readonly chosen: number;
  readonly current: number;
  /** Those of the chosen devices that do not run the version, the ones in trouble first. */
  readonly devices: readonly RolloutDeviceRecord[];
}

/** How long a device may stay away that was about to run a release. */
export const MISSING_AFTER = durationMs(15 * MINUTE);
const MOST_DEVICES_SHOWN = 200;
const TROUBLE: readonly DeviceRow['update_state'][] = ['rolled_back', 'refused', 'missing'];

/** Brings a version to devices, some of them first. One rollout at a time. */
export class Rollouts {
  constructor(private readonly context: UseCaseContext) {}

  /** Errors: RELEASE_NOT_FOUND, DEVICE_NOT_FOUND, ID_AMBIGUOUS, ROLLOUT_SHRINKS, SELECTION_EMPTY. */
  start(
    caller: Caller,
    { version, percent, devices }: { version: string; percent: number; devices: readonly string[] },
  ): Promise<RolloutRecord> {
    return this.context.ledger.write(async (tx) => {
      const releases = await tx.db.selectFrom('release').selectAll().where('version', '=', version).execute();
      if (!releases.some(({ received, size }) => received === size))
        throw new CurfewError('RELEASE_NOT_FOUND', { given: version });
      const named = [];
      for (const given of devices) named.push((await findDevice(tx.db, given)).id);
      const open = await openRollout(tx.db);
      const same = open?.version === version ? open : undefined;
      if (same !== undefined && percent > 0 && percent < same.percent)
        throw new CurfewError('ROLLOUT_SHRINKS', { version, percent: same.percent });
      const before = same === undefined ? [] : (JSON.parse(same.device_ids) as string[]);
      const choice = {
        percent: Math.max(percent, same?.percent ?? 0),
        device_ids: JSON.stringify([...new Set([...before, ...named])]),
      };
      if (choice.percent === 0 && choice.device_ids === '[]') throw new CurfewError('SELECTION_EMPTY');
      const actor = callerActor(caller);
      if (open !== undefined && same === undefined) await move(tx, open, 'finished', '', actor);
      const { random, clock } = this.context;
      const row = {
        ...(same ?? { id: newId('rollout', random), version, started_by: caller.userName, started_at_ms: clock.now() }),
        ...{ state: 'running' as const, reason: '', ...choice },
      };
      if (same === undefined) await tx.db.insertInto('rollout').values(row).execute();
      else await tx.db.updateTable('rollout').set(row).where('id', '=', row.id).execute();
      const data = { version, percent: row.percent, devices: [...before, ...named].length };
      tx.audit({ type: 'rollout.started', actor, subject: row.id, data });
      tx.changed('ledger', row.id);
      return rolloutRecord(tx.db, row);
    });
  }

  /** Idempotent. Errors: ROLLOUT_NOT_FOUND. */
  set(caller: Caller, state: 'running' | 'paused' | 'finished'): Promise<RolloutRecord> {
    return this.context.ledger.write(async (tx) => {
      const open = await openRollout(tx.db);
      if (open === undefined) throw new CurfewError('ROLLOUT_NOT_FOUND');
      const reason = state === 'paused' ? `${caller.userName} has paused it` : '';
      if (open.state === state) return rolloutRecord(tx.db, open);
      return rolloutRecord(tx.db, await move(tx, open, state, reason, callerActor(caller)));
    });
  }

  /** The newest rollout. Errors: ROLLOUT_NOT_FOUND. */
  newest(): Promise<RolloutRecord> {
    return this.context.ledger.read(async (db) => {
      const row = await db.selectFrom('rollout').selectAll().orderBy('started_at_ms', 'desc').executeTakeFirst();
      if (row === undefined) throw new CurfewError('ROLLOUT_NOT_FOUND');
      return rolloutRecord(db, row);
    });
  }

  /** Pauses the rollout of which a device was about to run the version, and has not been heard since. */
  async sweep(): Promise<void> {
    const { ledger, clock } = this.context;
    const before = clock.now() - MISSING_AFTER;
    const lost = (db: LedgerReader) =>
      db
        .selectFrom('device')
        .select(['id', 'name', 'update_version', 'update_trouble'])
        .where('update_state', '=', 'trying')
        .where('update_since_ms', '<=', before)
        .where(IS_NOT_REMOVED)
        .execute();
    if ((await ledger.read(lost)).length === 0) return;
    await ledger.write(async (tx) => {
      for (const device of await lost(tx.db)) {
        const { id, name, update_version: version } = device;
        await tx.db.updateTable('device').set({ update_state: 'missing' }).where('id', '=', id).execute();
        tx.audit({ type: 'device.update_missing', actor: { kind: 'server' }, subject: id, data: { name, version } });
        tx.changed('device', id, '');
        const reason = `${name} was about to run it, and has not been heard since`;
        await pauseFor(tx, device, { state: 'missing', version }, reason);
      }
    });
  }
}

/** The rollout that is not over. */
export const openRollout = (db: LedgerReader): Promise<RolloutRow | undefined> =>
  db.selectFrom('rollout').selectAll().where('state', '<>', 'finished').executeTakeFirst();

/** What a device has come to with a version, instead of running it. */
export interface Trouble {
  readonly state: 'refused' | 'rolled_back' | 'missing';
  readonly version: string;
}

/** Pauses the rollout that runs, if any does. */
export async function pauseRunning(tx: LedgerTransaction, reason: string): Promise<void> {
  const open = await openRollout(tx.db);
  if (open?.state === 'running') await move(tx, open, 'paused', reason, { kind: 'server' });
}

/** Pauses the rollout of a version, if it runs: a device of it is in trouble. Not for the trouble that the device had before. */
export async function pauseFor(
  tx: LedgerTransaction,
  device: Pick<DeviceRow, 'id' | 'update_trouble'>,
  { state, version }: Trouble,
  reason: string,
): Promise<void> {
  const trouble = `${state} ${version}`;
  if (device.update_trouble === trouble) return;
  await tx.db.updateTable('device').set({ update_trouble: trouble }).where('id', '=', device.id).execute();
  const open = await openRollout(tx.db);
  if (open?.version === version) await pauseRunning(tx, reason);
}

const EVENTS = { running: 'rollout.resumed', paused: 'rollout.paused', finished: 'rollout.finished' } as const;

async function move(
  tx: LedgerTransaction,
  rollout: RolloutRow,
  state: RolloutRow['state'],
  reason: string,
  actor: Actor,
): Promise<RolloutRow> {
  await tx.db.updateTable('rollout').set({ state, reason }).where('id', '=', rollout.id).execute();
  const data = { version: rollout.version, ...(reason === '' ? {} : { reason }) };
  tx.audit({ type: EVENTS[state], actor, subject: rollout.id, data });
  tx.changed('ledger', rollout.id);
  return { ...rollout, state, reason };
}

async function rolloutRecord(db: LedgerReader, row: RolloutRow): Promise<RolloutRecord> {
  const { device_ids: ids, ...rest } = row;
  const deviceIds = JSON.parse(ids) as string[];
  const rows = await db
    .selectFrom('device')
    .select(['id', 'name', 'facts', 'update_state', 'update_version', 'update_code', 'update_detail'])
    .where(IS_NOT_REMOVED)
    .orderBy('name')
    .execute();
  const chosen = rows
    .filter(({ id }) => isChosen(id, { percent: row.percent, deviceIds }))
    .map(({ facts, ...device }) => ({
      ...device,
      agentVersion: (JSON.parse(facts) as { agentVersion?: string }).agentVersion ?? '',
    }));
  // What nobody can call newer or older, as from a checkout, does not run it.
  const waiting = chosen.filter(
    ({ agentVersion }) => agentVersion !== row.version && !isNewerVersion(agentVersion, row.version),
  );
  const trouble = (device: RolloutDeviceRecord): boolean =>
    device.update_version === row.version && TROUBLE.includes(device.update_state);
  const devices = [...waiting.filter(trouble), ...waiting.filter((device) => !trouble(device))];
  return {
    ...rest,
    deviceIds,
    chosen: chosen.length,
    current: chosen.length - waiting.length,
    devices: devices.slice(0, MOST_DEVICES_SHOWN),
  };
}
