import { CurfewError, hasUnsafeText, newId } from '@curfew/shared';
import type { ConnectorField } from '../connectors/connector-kind.js';
import { findDevice } from '../devices/find-device.js';
import { OPEN_STATES } from '../ledger/conditions.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { moveRequest, requestFromRow, selectRequests } from '../requests/request-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { findUser } from '../users/users.js';
import { findConnector } from './connector-record.js';
import type { Connectors } from './connectors.js';
import { checkedValues } from './field-values.js';
import { DEVICE_GROUP, findPresentResource, findResource, IS_THERE, type ResourceRow } from './find-resource.js';
import { allResources, resourceRecord, type ResourceRecord } from './resource-record.js';

/** How a resource should be. */
export interface ResourceWish {
  readonly name: string;
  readonly description: string;
  /** A connector's id or name, or 'device_group'. */
  readonly connector: string;
  readonly target: Readonly<Record<string, string>>;
  readonly disabled: boolean;
  readonly subjects: readonly { readonly user: string; readonly subject: string }[];
}

/** What a resource names where it is a group of a device. */
export const DEVICE_GROUP_TARGET: readonly ConnectorField[] = [
  { name: 'device', label: 'Device', help: 'The id or name of the device.', required: true },
  {
    name: 'group',
    label: 'Group',
    help: 'The local group that people join for the time, such as docker.',
    required: true,
    problem: (group) => (/^[A-Za-z_][A-Za-z0-9_.-]{0,63}$/.test(group) ? undefined : 'is not the name of a group'),
  },
];

const invalid = (field: string, problem: string): CurfewError =>
  new CurfewError('RESOURCE_INVALID', { field, problem });

/** What a wish comes to in the ledger. */
interface Place {
  readonly kind: string;
  readonly connector_id: string | null;
  readonly device_id: string | null;
  readonly target: string;
}

/** What can be had for a time: made, changed, removed. */
export class Resources {
  constructor(
    private readonly context: UseCaseContext,
    private readonly connectors: Connectors,
  ) {}

  list(): Promise<ResourceRecord[]> {
    return this.context.ledger.read(allResources);
  }

  /** Errors: RESOURCE_NOT_FOUND, ID_AMBIGUOUS. */
  get(given: string): Promise<ResourceRecord> {
    return this.context.ledger.read(async (db) => resourceRecord(db, await findPresentResource(db, given)));
  }

  /**
   * Makes the resource of a name or changes it. What is given never changes while there are sessions of it: what they have
   * made must be found again. Errors: RESOURCE_INVALID, CONNECTOR_NOT_FOUND, DEVICE_NOT_FOUND, USER_NOT_FOUND,
   * RESOURCE_IN_USE, ID_AMBIGUOUS.
   */
  put(caller: Caller, wish: ResourceWish): Promise<ResourceRecord> {
    checkWish(wish);
    return this.context.ledger.write(async (tx) => {
      const place = await this.placeOf(tx.db, wish);
      const before = await tx.db
        .selectFrom('resource')
        .selectAll()
        .where('name_key', '=', wish.name.toLowerCase())
        .where(IS_THERE)
        .executeTakeFirst();
      const id = before?.id ?? newId('resource', this.context.random);
      const columns = { name: wish.name, description: wish.description, disabled: Number(wish.disabled), ...place };
      if (before === undefined) {
        const row = { id, name_key: wish.name.toLowerCase(), created_at_ms: this.context.clock.now() };
        await tx.db
          .insertInto('resource')
          .values({ ...row, ...columns, removed_at_ms: null, compared_at_ms: null })
          .execute();
      } else {
        if (!isSamePlace(before, place)) await this.leavePlace(tx, before);
        await tx.db.updateTable('resource').set(columns).where('id', '=', id).execute();
      }
      await putSubjects(tx.db, id, wish);
      const type = before === undefined ? 'resource.created' : 'resource.updated';
      tx.audit({ type, actor: callerActor(caller), subject: id, data: auditOf(wish, place) });
      tx.changed('resource', id);
      return resourceRecord(tx.db, await findResource(tx.db, id));
    });
  }

  /**
   * Removes a resource and what is asked of it; its name stands on in the history. Idempotent: one that is not there is no
   * error. Errors: RESOURCE_IN_USE, ID_AMBIGUOUS.
   */
  delete(caller: Caller, given: string): Promise<void> {
    return this.context.ledger.write(async (tx) => {
      const resource = await findPresentResource(tx.db, given).catch((error: unknown) => {
        if (error instanceof CurfewError && error.code === 'RESOURCE_NOT_FOUND') return undefined;
        throw error;
      });
      if (resource === undefined) return;
      const [now, actor] = [this.context.clock.now(), callerActor(caller)];
      await this.leavePlace(tx, resource);
      const asked = selectRequests(tx.db).where('r.resource_id', '=', resource.id).where('r.state', '=', 'pending');
      for (const row of await asked.execute()) await moveRequest(tx, requestFromRow(row), 'cancelled', now, actor);
      await tx.db.updateTable('resource').set({ removed_at_ms: now }).where('id', '=', resource.id).execute();
      tx.audit({ type: 'resource.deleted', actor, subject: resource.id, data: { name: resource.name } });
      tx.changed('resource', resource.id);
    });
  }

  /** A row as it would stand in the ledger. Errors: RESOURCE_INVALID, CONNECTOR_NOT_FOUND, DEVICE_NOT_FOUND. */
  candidate(wish: ResourceWish): Promise<ResourceRow> {
    checkWish({ ...wish, name: wish.name === '' ? 'candidate' : wish.name });
    return this.context.ledger.read(async (db) => ({
      id: '',
      name: wish.name,
      name_key: wish.name.toLowerCase(),
      description: wish.description,
      disabled: Number(wish.disabled),
      created_at_ms: 0,
      removed_at_ms: null,
      compared_at_ms: null,
      ...(await this.placeOf(db, wish)),
    }));
  }

  private async placeOf(db: LedgerReader, wish: ResourceWish): Promise<Place> {
    const at = { code: 'RESOURCE_INVALID', name: 'target' } as const;
    const given = Object.fromEntries(Object.entries(wish.target).filter(([, value]) => value !== ''));
    if (wish.connector.toLowerCase() === DEVICE_GROUP) {
      const { device = '' } = checkedValues(DEVICE_GROUP_TARGET, given, at);
      const found = await findDevice(db, device);
      if (found.state === 'removed') throw new CurfewError('DEVICE_NOT_FOUND', { given: device });
      const target = JSON.stringify({ ...given, device: found.id });
      return { kind: DEVICE_GROUP, connector_id: null, device_id: found.id, target };
    }
    const connector = await findConnector(db, wish.connector);
    checkedValues(this.connectors.kindOf(connector.kind).target, given, at);
    const sorted = Object.fromEntries(Object.entries(given).sort(([a], [b]) => (a < b ? -1 : 1)));
    return { kind: connector.kind, connector_id: connector.id, device_id: null, target: JSON.stringify(sorted) };
  }

  /** Forgets what was compared; sessions would lose the way to what they have made. Errors: RESOURCE_IN_USE. */
  private async leavePlace(tx: LedgerTransaction, { id, name }: ResourceRow): Promise<void> {
    const { open } = await tx.db
      .selectFrom('session')
      .select(({ fn }) => fn.countAll<number>().as('open'))
      .where('resource_id', '=', id)
      .where('state', 'in', OPEN_STATES)
      .executeTakeFirstOrThrow();
    if (open > 0) throw new CurfewError('RESOURCE_IN_USE', { resource: name, sessions: open });
    await tx.db.deleteFrom('resource_member').where('resource_id', '=', id).execute();
    await tx.db.deleteFrom('resource_drift').where('resource_id', '=', id).execute();
    await tx.db.updateTable('resource').set({ compared_at_ms: null }).where('id', '=', id).execute();
  }
}

const isSamePlace = (before: Place, after: Place): boolean =>
  before.connector_id === after.connector_id && before.device_id === after.device_id && before.target === after.target;

/** Checks a wish on its own, without the ledger. Errors: RESOURCE_INVALID. */
function checkWish(wish: ResourceWish): void {
  if (wish.name === '') throw invalid('name', 'is required');
  if (wish.connector === '') throw invalid('connector', 'is required');
  if (hasUnsafeText(wish.description)) throw invalid('description', 'has characters that cannot be seen');
  const users = new Set(wish.subjects.map(({ user }) => user.toLowerCase()));
  if (users.size < wish.subjects.length) throw invalid('subjects', 'name somebody twice');
}

async function putSubjects(db: LedgerReader, resourceId: string, { subjects }: ResourceWish): Promise<void> {
  await db.deleteFrom('resource_subject').where('resource_id', '=', resourceId).execute();
  if (subjects.length === 0) return;
  const keys = subjects.map(({ user }) => user.toLowerCase());
  const known = await db.selectFrom('app_user').select(['id', 'name_key']).where('name_key', 'in', keys).execute();
  const byName = new Map(known.map((user) => [user.name_key, user.id]));
  const rows = new Map<string, string>();
  for (const { user, subject } of subjects) {
    const id = byName.get(user.toLowerCase()) ?? (await findUser(db, user)).id;
    if (rows.has(id)) throw invalid('subjects', 'name somebody twice');
    rows.set(id, subject);
  }
  const values = [...rows].map(([user_id, subject]) => ({ resource_id: resourceId, user_id, subject }));
  await db.insertInto('resource_subject').values(values).execute();
}

const auditOf = (wish: ResourceWish, place: Place) => ({
  name: wish.name,
  description: wish.description,
  kind: place.kind,
  connector: wish.connector,
  target: { ...wish.target },
  disabled: wish.disabled,
  subjects: wish.subjects.length,
});
