import { CurfewError, newId } from '@curfew/shared';
import { sql } from 'kysely';
import { OPEN_STATES } from '../ledger/conditions.js';
import { readMeta } from '../ledger/ledger-meta.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { afterCursor, cutPage, likePattern, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import { endSessions, giveEpoch } from '../sessions/end-sessions.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { desiredSessions, type DesiredSessions } from './desired-sessions.js';
import { deviceActor } from './device-actor.js';
import {
  keepReport,
  type DeviceAccountRecord,
  type DeviceFactsRecord,
  type DeviceReportRecord,
} from './device-report.js';
import { findDevice, type DeviceRow } from './find-device.js';
import { freeName } from './free-name.js';
import { redeemJoinToken } from './join-tokens.js';
import { noteRollback } from './note-rollback.js';
import { reEnroll } from './re-enroll.js';

export interface DeviceRecord extends Omit<DeviceRow, 'facts' | 'findings'> {
  readonly facts: DeviceFactsRecord;
  readonly findings: readonly string[];
  readonly live_sessions: number;
}

const ORDER = { name: 'name', enrolled_time: 'enrolled_at_ms', last_seen_time: 'last_seen_at_ms' } as const;

/** Managed machines: enrolled, reported on, removed. */
export class Devices {
  constructor(private readonly context: UseCaseContext) {}

  /**
   * Makes a device for one use of a join token, or has the one device that the token is for enrol anew, all in one
   * transaction. Errors: JOIN_TOKEN_INVALID, DEVICE_KEY_TAKEN.
   */
  enroll(input: {
    readonly joinToken: string;
    readonly keyHash: string;
    readonly hostname: string;
    readonly facts: DeviceFactsRecord;
  }): Promise<DeviceRow> {
    const { ledger, clock, random } = this.context;
    return ledger.write(async (tx) => {
      const token = await redeemJoinToken(tx, input.joinToken, clock.now());
      await assertKeyIsNew(tx.db, input.keyHash);
      if (token.device !== undefined) return reEnroll(tx, token.device, { ...input, joinToken: token.id }, clock.now());
      const row = {
        id: newId('device', random),
        name: await freeName(tx.db, input.hostname),
        key_hash: input.keyHash,
        state: 'enrolled',
        facts: JSON.stringify(input.facts),
        findings: '[]',
        enrolled_at_ms: clock.now(),
        removed_at_ms: null,
        last_seen_at_ms: null,
        generation: 1,
        applied_generation: 0,
        epoch: 0,
        revoked_epoch: 0,
      };
      await tx.db.insertInto('device').values(row).execute();
      tx.audit({
        type: 'device.enrolled',
        actor: { kind: 'server' },
        subject: row.id,
        data: { name: row.name, joinToken: token.id, keyHash: row.key_hash },
      });
      tx.changed('device', row.id, row.id);
      return tx.db.selectFrom('device').selectAll().where('id', '=', row.id).executeTakeFirstOrThrow();
    });
  }

  /** The device that owns a key. Errors: DEVICE_UNKNOWN, DEVICE_REMOVED, DEVICE_KEY_REPLACED. */
  async byKeyHash(keyHash: string): Promise<DeviceRow> {
    const { ledger } = this.context;
    const row = await ledger.read((db) =>
      db.selectFrom('device').selectAll().where('key_hash', '=', keyHash).executeTakeFirst(),
    );
    if (row === undefined)
      throw new CurfewError(
        (await ledger.read((db) => isFormerKey(db, keyHash))) ? 'DEVICE_KEY_REPLACED' : 'DEVICE_UNKNOWN',
      );
    if (row.state === 'removed') throw new CurfewError('DEVICE_REMOVED');
    return row;
  }

  /**
   * Takes a new stream's hello: every live session gets an epoch for the new nonce. A device that names a checkpoint which the
   * ledger has lost proves that the ledger was rolled back; from then on nothing is granted to anybody. One whose numbers alone are
   * higher is noted. Returns whether it has seen more than this ledger knows, by its proof or its word.
   * Errors: DEVICE_KEY_REPLACED, since the stream was opened.
   */
  hello(
    { id: deviceId, key_hash: keyHash }: Pick<DeviceRow, 'id' | 'key_hash'>,
    hello: {
      readonly incarnation: number;
      readonly floorGeneration: number;
      readonly floorEpoch: number;
      /** Whether the device names a checkpoint that the ledger has lost. */
      readonly forgotten: boolean;
    },
  ): Promise<boolean> {
    return this.context.ledger.write(async (tx) => {
      const device = await tx.db.selectFrom('device').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
      if (device.key_hash !== keyHash) throw new CurfewError('DEVICE_KEY_REPLACED');
      const meta = await readMeta(tx.db);
      const isHigher = hello.floorGeneration > device.generation || hello.floorEpoch > device.epoch;
      const isAhead =
        hello.forgotten || hello.incarnation > meta.incarnation || (hello.incarnation === meta.incarnation && isHigher);
      if (isAhead)
        await noteRollback(tx, device, 'the device has seen a newer ledger', hello.forgotten, this.context.clock.now());
      const live = await tx.db
        .selectFrom('session')
        .select('id')
        .where('device_id', '=', deviceId)
        .where('state', 'in', ['starting', 'active'])
        .execute();
      for (const session of live) await giveEpoch(tx.db, session.id, deviceId);
      return isAhead;
    });
  }

  /**
   * Notes that an agent refused what this server says. `isProven` says that the checkpoint which its witness keeps is this ledger's own
   * and does not fit the log: a rollback or a forgery.
   */
  serverRefused(deviceId: string, detail: string, isProven: boolean): Promise<void> {
    return this.context.ledger.write(async (tx) => {
      const device = await tx.db.selectFrom('device').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
      await noteRollback(tx, device, `the device refuses this server: ${detail}`, isProven, this.context.clock.now());
    });
  }

  /** Keeps what an agent tells of its machine. Changes no right. */
  report(deviceId: string, report: DeviceReportRecord): Promise<void> {
    return this.context.ledger.write((tx) => keepReport(tx, deviceId, report, this.context.clock.now()));
  }

  /** Notes when a device's link was last alive, at its beginning and its end, and tells of either. */
  seen(deviceId: string): Promise<void> {
    return this.context.ledger.write(async (tx) => {
      await tx.db
        .updateTable('device')
        .set({ last_seen_at_ms: this.context.clock.now() })
        .where('id', '=', deviceId)
        .execute();
      tx.changed('device', deviceId, '');
    });
  }

  /**
   * Two agents have used one identity: nobody can tell which of them is the device, so what it holds ends, and no lease
   * is given until an operator resolves it.
   */
  identityConflict(deviceId: string): Promise<void> {
    return this.context.ledger.write(async (tx) => {
      const device = await tx.db.selectFrom('device').selectAll().where('id', '=', deviceId).executeTakeFirstOrThrow();
      if (device.state !== 'enrolled') return;
      await tx.db.updateTable('device').set({ state: 'identity_conflict' }).where('id', '=', deviceId).execute();
      await endSessions(
        tx,
        this.context.clock.now(),
        { deviceId },
        { reason: 'failed', by: '', actor: { kind: 'server' }, detail: "two agents use this device's identity" },
      );
      tx.audit({
        type: 'device.identity_conflict',
        actor: deviceActor(device),
        subject: deviceId,
        data: { name: device.name },
      });
      tx.changed('device', deviceId, deviceId);
    }, 'first');
  }

  /** Errors: DEVICE_NOT_FOUND, DEVICE_NOT_IN_CONFLICT. */
  resolveConflict(caller: Caller, given: string): Promise<DeviceRecord> {
    return this.context.ledger.write(async (tx) => {
      const device = await findDevice(tx.db, given);
      if (device.state !== 'identity_conflict')
        throw new CurfewError('DEVICE_NOT_IN_CONFLICT', { device: device.name });
      await tx.db.updateTable('device').set({ state: 'enrolled' }).where('id', '=', device.id).execute();
      tx.audit({ type: 'device.conflict_resolved', actor: callerActor(caller), subject: device.id });
      // Every server begins anew to watch for two agents.
      tx.changed('ledger', device.id);
      tx.changed('device', device.id, device.id);
      return deviceRecord(tx.db, { ...device, state: 'enrolled' });
    });
  }

  /** Gives a device these labels and no others. Idempotent. Errors: DEVICE_NOT_FOUND. */
  setLabels(caller: Caller, given: string, labels: Readonly<Record<string, string>>): Promise<DeviceRecord> {
    return this.context.ledger.write(async (tx) => {
      const device = await findDevice(tx.db, given);
      if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given });
      const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
      const text = JSON.stringify(Object.fromEntries(sorted));
      if (text !== device.labels) {
        await tx.db.updateTable('device').set({ labels: text }).where('id', '=', device.id).execute();
        const data = { name: device.name, labels: text };
        tx.audit({ type: 'device.labelled', actor: callerActor(caller), subject: device.id, data });
        tx.changed('device', device.id, '');
      }
      return deviceRecord(tx.db, { ...device, labels: text });
    });
  }

  /** Notes that an operator lets a device go until a time. Errors: DEVICE_NOT_FOUND, ID_AMBIGUOUS. */
  allowUninstall(caller: Caller, given: string, untilMs: number): Promise<Pick<DeviceRow, 'key_hash'>> {
    return this.context.ledger.write(async (tx) => {
      const device = await findDevice(tx.db, given);
      if (device.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given });
      const data = { name: device.name, untilMs };
      tx.audit({ type: 'device.uninstall_allowed', actor: callerActor(caller), subject: device.id, data });
      return device;
    });
  }

  /** Ends every session of a device and takes its identity away. Idempotent. Errors: DEVICE_NOT_FOUND. */
  remove(caller: Caller, given: string): Promise<DeviceRecord> {
    return this.context.ledger.write(async (tx) => {
      const device = await findDevice(tx.db, given);
      if (device.state === 'removed') return deviceRecord(tx.db, device);
      const now = this.context.clock.now();
      const decision = {
        reason: 'device_removed',
        by: caller.userName,
        actor: callerActor(caller),
        detail: '',
      } as const;
      await endSessions(tx, now, { deviceId: device.id }, decision);
      await tx.db
        .updateTable('device')
        .set({ state: 'removed', removed_at_ms: now })
        .where('id', '=', device.id)
        .execute();
      tx.audit({ type: 'device.removed', actor: callerActor(caller), subject: device.id, data: { name: device.name } });
      tx.changed('device', device.id, device.id);
      return deviceRecord(
        tx.db,
        await tx.db.selectFrom('device').selectAll().where('id', '=', device.id).executeTakeFirstOrThrow(),
      );
    }, 'first');
  }

  /** The devices among these ids, and those of the sessions among them. */
  touchedBy(ids: readonly string[]): Promise<string[]> {
    return this.context.ledger.read(async (db) => {
      const own = await db.selectFrom('device').select('id').where('id', 'in', ids).execute();
      const ofSessions = await db.selectFrom('session').select('device_id as id').where('id', 'in', ids).execute();
      return [...new Set([...own, ...ofSessions].flatMap(({ id }) => id ?? []))];
    });
  }

  /** One device with its accounts. Errors: DEVICE_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<{ device: DeviceRecord; accounts: DeviceAccountRecord[] }> {
    return this.context.ledger.read(async (db) => {
      const device = await deviceRecord(db, await findDevice(db, given));
      const rows = await db
        .selectFrom('device_account')
        .selectAll()
        .where('device_id', '=', device.id)
        .orderBy('name')
        .execute();
      const accounts = rows.map((row) => ({
        name: row.name,
        uid: row.uid,
        sid: row.sid,
        fingerprint: row.fingerprint,
        standingAdmin: row.standing_admin === 1,
        ineligibleReason: row.ineligible_reason,
      }));
      return { device, accounts };
    });
  }

  /** A page of devices and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID. */
  list(input: {
    readonly states: readonly string[];
    readonly text: string;
    readonly only: readonly string[] | undefined;
    readonly except: readonly string[] | undefined;
    readonly orderBy: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }): Promise<{ devices: DeviceRecord[]; nextPageToken: string; total: number }> {
    const order = parseOrderBy(input.orderBy, ORDER, 'name');
    const size = pageSize(input.pageSize);
    return this.context.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `devices ${JSON.stringify([input.states, input.text, input.orderBy])}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      const pattern = likePattern(input.text);
      const column = sql.ref<string | number>(order.column);
      const sortKey =
        order.column === 'name' ? sql<string | number>`${column}` : sql<string | number>`coalesce(${column}, 0)`;
      let matching = db
        .selectFrom('device')
        .where('state', 'in', input.states.length > 0 ? input.states : ['enrolled', 'identity_conflict']);
      if (input.text !== '') matching = matching.where(sql<boolean>`lower(name) like ${pattern} escape '\\'`);
      if (input.only !== undefined) matching = matching.where('id', 'in', input.only);
      if (input.except !== undefined) matching = matching.where('id', 'not in', input.except);
      let page = matching
        .selectAll()
        .select(sortKey.as('sort_key'))
        .orderBy(sortKey, order.descending ? 'desc' : 'asc')
        .orderBy('id')
        .limit(size + 1);
      if (cursor !== undefined) page = page.where(afterCursor(sortKey, 'id', order, cursor));
      const rows = await page.execute();
      const { total } = await matching.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
      const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
      const devices = await deviceRecords(
        db,
        shown.map(({ sort_key: _, ...row }) => row),
      );
      return { devices, nextPageToken, total };
    });
  }

  /** What devices should hold now. */
  desired(deviceIds: readonly string[]): Promise<DesiredSessions[]> {
    return this.context.ledger.read((db) => desiredSessions(db, deviceIds));
  }
}

const isFormerKey = async (db: LedgerReader, keyHash: string): Promise<boolean> =>
  (await db.selectFrom('device_former_key').select('device_id').where('key_hash', '=', keyHash).executeTakeFirst()) !==
  undefined;

/** Errors: DEVICE_KEY_TAKEN, also for a key that a device had before. */
async function assertKeyIsNew(db: LedgerReader, keyHash: string): Promise<void> {
  const taken = await db.selectFrom('device').select('id').where('key_hash', '=', keyHash).executeTakeFirst();
  if (taken !== undefined || (await isFormerKey(db, keyHash))) throw new CurfewError('DEVICE_KEY_TAKEN');
}

async function deviceRecord(db: LedgerReader, row: DeviceRow): Promise<DeviceRecord> {
  const [record] = await deviceRecords(db, [row]);
  if (record === undefined) throw new Error('one row makes one record');
  return record;
}

async function deviceRecords(db: LedgerReader, rows: readonly DeviceRow[]): Promise<DeviceRecord[]> {
  const ids = rows.map(({ id }) => id);
  const counted = await db
    .selectFrom('session')
    .select(['device_id', ({ fn }) => fn.countAll<number>().as('live')])
    .where('device_id', 'in', ids)
    .where('state', 'in', OPEN_STATES)
    .groupBy('device_id')
    .execute();
  const live = new Map(counted.map((row) => [row.device_id, row.live]));
  return rows.map((row) => ({
    ...row,
    facts: JSON.parse(row.facts) as DeviceFactsRecord,
    findings: JSON.parse(row.findings) as string[],
    live_sessions: live.get(row.id) ?? 0,
  }));
}
