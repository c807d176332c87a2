import type { Selectable } from 'kysely';
import { IS_LIVE } from '../ledger/conditions.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import { DEVICE_GROUP, IS_THERE, type ResourceRow } from './find-resource.js';

/** A resource with everything that is known about it. */
export type ResourceRecord = Omit<ResourceRow, 'target'> & {
  /** The connector's name, or 'device_group'. */
  readonly connector_name: string;
  readonly target: Readonly<Record<string, string>>;
  /** By the user's name. */
  readonly subjects: readonly { readonly user_name: string; readonly subject: string }[];
  readonly live_sessions: number;
  /** Newest first. */
  readonly drift: readonly Selectable<Tables['resource_drift']>[];
};

const MOST_DRIFT = 1_000;

/** Every resource that is not removed, by name. */
export async function allResources(db: LedgerReader): Promise<ResourceRecord[]> {
  const rows = await db.selectFrom('resource').selectAll().where(IS_THERE).orderBy('name_key').execute();
  const records = [];
  for (const row of rows) records.push(await resourceRecord(db, row));
  return records;
}

/** What stands in other tables. */
export async function resourceRecord(db: LedgerReader, row: ResourceRow): Promise<ResourceRecord> {
  const subjects = await db
    .selectFrom('resource_subject as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .select(['u.name as user_name', 's.subject'])
    .where('s.resource_id', '=', row.id)
    .orderBy('u.name')
    .execute();
  const { live } = await db
    .selectFrom('session')
    .select(({ fn }) => fn.countAll<number>().as('live'))
    .where('resource_id', '=', row.id)
    .where(IS_LIVE)
    .executeTakeFirstOrThrow();
  const drift = await db
    .selectFrom('resource_drift')
    .selectAll()
    .where('resource_id', '=', row.id)
    .orderBy('seen_at_ms', 'desc')
    .orderBy('subject_id')
    .limit(MOST_DRIFT)
    .execute();
  const target = JSON.parse(row.target) as Readonly<Record<string, string>>;
  const names = await namesOf(db, row);
  return {
    ...row,
    connector_name: names.connector,
    target: names.device === undefined ? target : { ...target, device: names.device },
    subjects,
    live_sessions: live,
    drift,
  };
}

async function namesOf(db: LedgerReader, row: ResourceRow): Promise<{ connector: string; device?: string }> {
  if (row.kind === DEVICE_GROUP) {
    const device = await db
      .selectFrom('device')
      .select('name')
      .where('id', '=', row.device_id ?? '')
      .executeTakeFirst();
    return { connector: DEVICE_GROUP, device: device?.name ?? '' };
  }
  const query = db
    .selectFrom('connector')
    .select('name')
    .where('id', '=', row.connector_id ?? '');
  return { connector: (await query.executeTakeFirst())?.name ?? '' };
}
