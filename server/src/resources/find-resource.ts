import { CurfewError } from '@curfew/shared';
import { sql, type Selectable } from 'kysely';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

export type ResourceRow = Selectable<Tables['resource']>;

/** The kind of resources that are a device's local group: given by the device's agent, through no connector. */
export const DEVICE_GROUP = 'device_group';

/** In the words of the schema's partial index. */
export const IS_THERE = sql<boolean>`removed_at_ms is null`;

/** A resource by id, name or unique prefix; by name only while it is not removed. Errors: RESOURCE_NOT_FOUND, ID_AMBIGUOUS. */
export async function findResource(db: LedgerReader, given: string): Promise<ResourceRow> {
  const id = await findIdOrName(db, 'resource', 'resource', given, 'RESOURCE_NOT_FOUND', async () => {
    const named = await db
      .selectFrom('resource')
      .select('id')
      .where('name_key', '=', given.toLowerCase())
      .where(IS_THERE)
      .executeTakeFirst();
    return named?.id;
  });
  return db.selectFrom('resource').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
}

/** A resource that is not removed. Errors: RESOURCE_NOT_FOUND, ID_AMBIGUOUS. */
export async function findPresentResource(db: LedgerReader, given: string): Promise<ResourceRow> {
  const resource = await findResource(db, given);
  if (resource.removed_at_ms !== null) throw new CurfewError('RESOURCE_NOT_FOUND', { given });
  return resource;
}

/** A resource that can be given now. Errors: RESOURCE_NOT_FOUND, ID_AMBIGUOUS, RESOURCE_DISABLED, CONNECTOR_DISABLED. */
export async function findOpenResource(db: LedgerReader, given: string): Promise<ResourceRow> {
  const resource = await findPresentResource(db, given);
  if (resource.disabled === 1) throw new CurfewError('RESOURCE_DISABLED', { resource: resource.name });
  if (resource.connector_id === null) return resource;
  const connector = await db
    .selectFrom('connector')
    .select(['name', 'disabled'])
    .where('id', '=', resource.connector_id)
    .executeTakeFirstOrThrow();
  if (connector.disabled === 1) throw new CurfewError('CONNECTOR_DISABLED', { connector: connector.name });
  return resource;
}
