import { sql } from 'kysely';
import { DELIVERY_STATES } from '../notifiers/channel-kind.js';
import { HAS_TO_BE_LOOKED_AT, IS_LIVE, IS_NOT_REMOVED, IS_UNCONFIRMED } from '../ledger/conditions.js';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { isOpenCircuit } from '../timed-access/circuits.js';
import { DRIFT_KINDS } from '../timed-access/grant-phase.js';
import { SESSION_KINDS } from '@curfew/shared';
import type { Sample } from './prometheus.js';

const COUNT = sql<number>`count(*)`.as('count');
/** What a request waits in. */
const WAITING = ['pending', 'approved'] as const;

/** What the ledger holds now, as of one moment; read through indexes of what is there now, never through its history. */
export function ledgerSamples(ledger: Ledger, nowMs: number): Promise<Sample[]> {
  return ledger.read(async (db) => [
    ...(await sessions(db, nowMs)),
    ...(await requests(db)),
    ...(await devices(db)),
    ...(await resources(db)),
    ...(await deliveries(db)),
    { name: 'curfew_ledger_rolled_back', value: (await readMeta(db)).rolledBack === '' ? 0 : 1 },
    { name: 'curfew_audit_events', value: await auditSize(db) },
  ]);
}

async function auditSize(db: LedgerReader): Promise<number> {
  const size = sql<number>`coalesce(max(idx) + 1, 0)`.as('size');
  return (await db.selectFrom('audit_event').select(size).executeTakeFirstOrThrow()).size;
}

/** Each number is that of a whole index, or of a part of one: no session is looked at for it. */
async function sessions(db: LedgerReader, nowMs: number): Promise<Sample[]> {
  const live = db.selectFrom('session').select(COUNT).where(IS_LIVE);
  // Every session has an end: so it is said which index is to be counted, and not one of every session there ever was.
  const all = await live.where('expires_at_ms', '>', 0).executeTakeFirstOrThrow();
  // No two are of one user and one resource: told apart by them, they are counted in the index that holds them to that.
  const places = db.selectFrom('session').select(['resource_id', 'user_id']).distinct().where(IS_LIVE);
  const timedAccess = await db
    .selectFrom(places.where('resource_id', 'is not', null).as('live_place'))
    .select(COUNT)
    .executeTakeFirstOrThrow();
  const ofKind = { timed_access: timedAccess.count, device_admin: all.count - timedAccess.count };
  const samples: Sample[] = [];
  for (const kind of SESSION_KINDS) {
    const unconfirmed = (state: 'starting' | 'ending') =>
      db
        .selectFrom('session')
        .select([COUNT, sql<number | null>`min(ending_at_ms)`.as('since')])
        .where(IS_UNCONFIRMED)
        .where('state', '=', state)
        .where('kind', '=', kind)
        .executeTakeFirstOrThrow();
    const [starting, ending] = [await unconfirmed('starting'), await unconfirmed('ending')];
    const counts = { starting: starting.count, active: ofKind[kind] - starting.count, ending: ending.count };
    for (const [state, value] of Object.entries(counts))
      samples.push({ name: 'curfew_sessions', labels: { kind, state }, value });
    const waitedMs = Math.max(0, nowMs - (ending.since ?? nowMs));
    samples.push({ name: 'curfew_session_oldest_end_seconds', labels: { kind }, value: waitedMs / 1_000 });
  }
  return samples;
}

async function requests(db: LedgerReader): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const state of WAITING) {
    const { count } = await db
      .selectFrom('access_request')
      .select(COUNT)
      .where('state', '=', state)
      .executeTakeFirstOrThrow();
    samples.push({ name: 'curfew_requests', labels: { state }, value: count });
  }
  return samples;
}

async function devices(db: LedgerReader): Promise<Sample[]> {
  const all = await db.selectFrom('device').select(COUNT).where(IS_NOT_REMOVED).executeTakeFirstOrThrow();
  const odd = await db.selectFrom('device').select(COUNT).where(HAS_TO_BE_LOOKED_AT).executeTakeFirstOrThrow();
  return [
    { name: 'curfew_devices', value: all.count },
    { name: 'curfew_devices_to_look_at', value: odd.count },
  ];
}

async function resources(db: LedgerReader): Promise<Sample[]> {
  const connectors = await db.selectFrom('connector').select(['failures', 'next_attempt_at_ms']).execute();
  const drift = await db.selectFrom('resource_drift').select(['kind', COUNT]).groupBy('kind').execute();
  const leftAlone = connectors.filter(isOpenCircuit).length;
  const failing = connectors.filter(({ failures }) => failures > 0).length - leftAlone;
  const states = { well: connectors.length - failing - leftAlone, failing, left_alone: leftAlone };
  return [
    ...Object.entries(states).map(([state, value]): Sample => ({
      name: 'curfew_connectors',
      labels: { state },
      value,
    })),
    ...DRIFT_KINDS.map((kind): Sample => ({
      name: 'curfew_resource_differences',
      labels: { kind },
      value: drift.find((row) => row.kind === kind)?.count ?? 0,
    })),
  ];
}

async function deliveries(db: LedgerReader): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (const state of DELIVERY_STATES.filter((one) => one !== 'delivered')) {
    const { count } = await db
      .selectFrom('delivery')
      .select(COUNT)
      .where('state', '=', state)
      .executeTakeFirstOrThrow();
    samples.push({ name: 'curfew_deliveries', labels: { state }, value: count });
  }
  return samples;
}
