import type { Selectable } from 'kysely';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

export type DeviceRow = Selectable<Tables['device']>;

/** A device by name, id or unique prefix; by name only while it is not removed. Errors: DEVICE_NOT_FOUND, ID_AMBIGUOUS. */
export async function findDevice(db: LedgerReader, given: string): Promise<DeviceRow> {
  const named = await db
    .selectFrom('device')
    .selectAll()
    .where('name', '=', given)
    .where('state', '<>', 'removed')
    .executeTakeFirst();
  if (named !== undefined) return named;
  const id = await findId(db, 'device', 'device', given, 'DEVICE_NOT_FOUND');
  return db.selectFrom('device').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}
