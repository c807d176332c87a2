import type { Selectable } from 'kysely';
import { IS_NOT_REMOVED } from '../ledger/conditions.js';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

export type DeviceRow = Selectable<Tables['device']>;

/** A device by id, name or unique prefix; by name only while it is not removed. Errors: DEVICE_NOT_FOUND, ID_AMBIGUOUS. */
export async function findDevice(db: LedgerReader, given: string): Promise<DeviceRow> {
  const id = await findIdOrName(db, 'device', 'device', given, 'DEVICE_NOT_FOUND', async () => {
    const named = await db
      .selectFrom('device')
      .select('id')
      .where('name', '=', given)
      .where(IS_NOT_REMOVED)
      .executeTakeFirst();
    return named?.id;
  });
  return db.selectFrom('device').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}
