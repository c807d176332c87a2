import { CurfewError, newId } from '@curfew/shared';
import type { ConnectorField, ConnectorKind, ConnectorParts, FieldValues } from '../connectors/connector-kind.js';
import { OPEN_STATES } from '../ledger/conditions.js';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { allConnectors, connectorBy, findConnector, type ConnectorRecord } from './connector-record.js';
import { checkedValues, hostsIn, isPlace } from './field-values.js';
import { DEVICE_GROUP } from './find-resource.js';

/** How a connector should be. */
export interface ConnectorWish {
  readonly name: string;
  readonly kind: string;
  readonly settings: Readonly<Record<string, string>>;
  /** What is not named stays; '' takes one away. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly disabled: boolean;
}

export interface ConnectorsParts {
  readonly context: UseCaseContext;
  readonly kinds: readonly ConnectorKind[];
  readonly secrets: SecretBox;
  /** What connectors may use. */
  readonly parts: ConnectorParts;
}

const invalid = (field: string, problem: string): CurfewError =>
  new CurfewError('CONNECTOR_INVALID', { field, problem });

/** The ways to systems outside: made, changed, removed. */
export class Connectors {
  constructor(private readonly parts: ConnectorsParts) {}

  list(): Promise<ConnectorRecord[]> {
    return this.parts.context.ledger.read(allConnectors);
  }

  /** Errors: CONNECTOR_INVALID. */
  kindOf(name: string): ConnectorKind {
    const { kinds } = this.parts;
    const kind = kinds.find((one) => one.kind === name);
    if (kind === undefined)
      throw invalid('kind', name === '' ? 'is required' : `is not one of ${kinds.map((one) => one.kind).join(', ')}`);
    return kind;
  }

  /** What a connector is opened with: its values, secrets in clear. Errors: SECRET_UNREADABLE, CONNECTOR_INVALID. */
  valuesOf(connector: ConnectorRecord): { readonly settings: FieldValues; readonly secrets: FieldValues } {
    const { fields, secretFields } = fieldsOf(this.kindOf(connector.kind));
    const secrets = this.unseal(connector);
    return {
      settings: checkedValues(fields, connector.settings, { code: 'CONNECTOR_INVALID', name: 'settings' }),
      secrets: checkedValues(secretFields, secrets, { code: 'CONNECTOR_INVALID', name: 'secrets' }),
    };
  }

  /**
   * Makes the connector of a name or changes it. Where it leads never changes while there are sessions through it. Errors:
   * CONNECTOR_INVALID, TARGET_NOT_ALLOWED, RESOURCE_IN_USE.
   */
  async put(caller: Caller, wish: ConnectorWish): Promise<ConnectorRecord> {
    if (wish.name === '') throw invalid('name', 'is required');
    if (wish.name.toLowerCase() === DEVICE_GROUP) throw invalid('name', 'stands for the groups of devices');
    const kind = this.kindOf(wish.kind);
    const unavailable = kind.unavailable?.(this.parts.parts);
    if (unavailable !== undefined) throw invalid('kind', `is not offered: ${unavailable}`);
    const settings = checkedValues(fieldsOf(kind).fields, wish.settings, {
      code: 'CONNECTOR_INVALID',
      name: 'settings',
    });
    for (const { field, host } of hostsIn(settings)) await this.checkHost(field, host);
    return this.parts.context.ledger.write(async (tx) => {
      const before = await connectorBy(tx.db, 'name_key', wish.name.toLowerCase());
      if (before === undefined) return this.create(tx, caller, wish, kind);
      if (before.kind !== wish.kind)
        throw invalid('kind', `is ${before.kind} and never changes; delete the connector first`);
      return this.change(tx, caller, wish, kind, before);
    });
  }

  private async checkHost(field: string, host: string): Promise<void> {
    try {
      await this.parts.parts.guard.checkHost(host);
    } catch (error) {
      if (!(error instanceof CurfewError) || error.code !== 'TARGET_NOT_ALLOWED') throw error;
      throw new CurfewError('TARGET_NOT_ALLOWED', { ...error.fields, field: `settings.${field}` });
    }
  }

  private async create(
    tx: LedgerTransaction,
    caller: Caller,
    wish: ConnectorWish,
    kind: ConnectorKind,
  ): Promise<ConnectorRecord> {
    const { random, clock } = this.parts.context;
    const id = newId('connector', random);
    const secrets = this.sealed(kind, id, {}, wish.secrets);
    const row = { id, name_key: wish.name.toLowerCase(), kind: wish.kind, created_at_ms: clock.now() };
    await tx.db
      .insertInto('connector')
      .values({ ...row, ...columnsOf(wish), secrets })
      .execute();
    tx.audit({ type: 'connector.created', actor: callerActor(caller), subject: id, data: auditOf(wish) });
    tx.changed('resource', id);
    return findConnector(tx.db, id);
  }

  private async change(
    tx: LedgerTransaction,
    caller: Caller,
    wish: ConnectorWish,
    kind: ConnectorKind,
    before: ConnectorRecord,
  ): Promise<ConnectorRecord> {
    assertSecretsStayHome(kind, before, wish);
    if (leadsElsewhere(kind, before, wish)) await assertNoSessions(tx.db, before);
    const secrets = this.sealed(kind, before.id, before.sealed, wish.secrets);
    // It is asked at once: what kept it from working may be what was changed.
    const well = { failures: 0, failing_since_ms: null, next_attempt_at_ms: null, last_error: '' };
    await tx.db
      .updateTable('connector')
      .set({ ...columnsOf(wish), secrets, ...well })
      .where('id', '=', before.id)
      .execute();
    tx.audit({ type: 'connector.updated', actor: callerActor(caller), subject: before.id, data: auditOf(wish) });
    tx.changed('resource', before.id);
    return findConnector(tx.db, before.id);
  }

  /** Removes a connector that no resource uses. Idempotent: one that is not there is no error. Errors: CONNECTOR_IN_USE, ID_AMBIGUOUS. */
  delete(caller: Caller, given: string): Promise<void> {
    return this.parts.context.ledger.write(async (tx) => {
      const connector = await findConnector(tx.db, given).catch((error: unknown) => {
        if (error instanceof CurfewError && error.code === 'CONNECTOR_NOT_FOUND') return undefined;
        throw error;
      });
      if (connector === undefined) return;
      const { id, name, kind } = connector;
      const using = await tx.db
        .selectFrom('resource')
        .select(['name', 'removed_at_ms'])
        .where('connector_id', '=', id)
        .execute();
      const used = using.find((resource) => resource.removed_at_ms === null);
      if (used !== undefined) throw new CurfewError('CONNECTOR_IN_USE', { connector: name, resource: used.name });
      await tx.db.updateTable('resource').set({ connector_id: null }).where('connector_id', '=', id).execute();
      await tx.db.deleteFrom('connector').where('id', '=', id).execute();
      tx.audit({ type: 'connector.deleted', actor: callerActor(caller), subject: id, data: { name, kind } });
      tx.changed('resource', id);
    });
  }

  /** What was kept stays as it is sealed, so that one that cannot be read any more can be set again. Errors: CONNECTOR_INVALID. */
  private sealed(
    kind: ConnectorKind,
    id: string,
    before: Readonly<Record<string, string>>,
    given: Readonly<Record<string, string>>,
  ): string {
    const kept = Object.entries(before).filter(([name]) => !Object.hasOwn(given, name));
    const isKept = (name: string): boolean => kept.some(([other]) => other === name);
    const asked = fieldsOf(kind).secretFields.map((field) =>
      isKept(field.name) ? { ...field, required: false } : field,
    );
    checkedValues(asked, given, { code: 'CONNECTOR_INVALID', name: 'secrets' });
    const sealed = Object.entries(given)
      .filter(([, value]) => value !== '')
      .map(([name, value]): [string, string] => [name, this.parts.secrets.seal(value, `${id} ${name}`)]);
    return JSON.stringify(Object.fromEntries([...kept, ...sealed]));
  }

  private unseal({ id, sealed }: ConnectorRecord): Record<string, string> {
    const open = Object.entries(sealed).map(([name, value]) => [
      name,
      this.parts.secrets.unseal(value, `${id} ${name}`),
    ]);
    return Object.fromEntries(open) as Record<string, string>;
  }
}

/** A kind's fields, those that are kept sealed apart. */
const fieldsOf = ({
  settings,
}: ConnectorKind): {
  readonly fields: readonly ConnectorField[];
  readonly secretFields: readonly ConnectorField[];
} => ({
  fields: settings.filter(({ secret }) => secret !== true),
  secretFields: settings.filter(({ secret }) => secret === true),
});

type WithSettings = Pick<ConnectorWish, 'settings'>;

function isChanged({ name, defaultValue = '' }: ConnectorField, before: WithSettings, after: WithSettings): boolean {
  const valueOf = ({ settings }: WithSettings): string => {
    const value = settings[name] ?? '';
    return value === '' ? defaultValue : value;
  };
  return valueOf(before) !== valueOf(after);
}

/** Whether what was given through the connector could not be found again. */
const leadsElsewhere = (kind: ConnectorKind, before: WithSettings, after: WithSettings): boolean =>
  fieldsOf(kind).fields.some((field) => field.changesAnyTime !== true && isChanged(field, before, after));

/** The other side would be asked whether what this side has given is gone. Errors: RESOURCE_IN_USE. */
async function assertNoSessions(db: LedgerReader, { id }: ConnectorRecord): Promise<void> {
  const used = await db
    .selectFrom('session as s')
    .innerJoin('resource as r', 'r.id', 's.resource_id')
    .select(({ fn }) => ['r.name', fn.countAll<number>().as('open')])
    .where('r.connector_id', '=', id)
    .where('s.state', 'in', OPEN_STATES)
    .groupBy(['r.id', 'r.name'])
    .orderBy('r.name')
    .executeTakeFirst();
  if (used !== undefined) throw new CurfewError('RESOURCE_IN_USE', { resource: used.name, sessions: used.open });
}

/** A secret that nobody is shown must not be sent to a place of somebody's choice either. Errors: CONNECTOR_INVALID. */
function assertSecretsStayHome(kind: ConnectorKind, before: ConnectorRecord, wish: ConnectorWish): void {
  const moved = fieldsOf(kind).fields.find((field) => isPlace(field.name) && isChanged(field, before, wish));
  const kept = Object.keys(before.sealed).find((name) => !Object.hasOwn(wish.secrets, name));
  if (moved !== undefined && kept !== undefined)
    throw invalid(`secrets.${kept}`, `must be given again when settings.${moved.name} changes`);
}

const columnsOf = ({ name, settings, disabled }: ConnectorWish) => ({
  name,
  settings: JSON.stringify(settings),
  disabled: Number(disabled),
});

/** What the audit log says of a connector: of secrets only which were given. */
const auditOf = ({ name, kind, settings, disabled, secrets }: ConnectorWish) => ({
  name,
  kind,
  settings: { ...settings },
  disabled,
  secretsGiven: Object.keys(secrets),
});
