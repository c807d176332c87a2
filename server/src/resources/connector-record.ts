import type { Selectable } from 'kysely';
import { findIdOrName } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

type ConnectorRow = Selectable<Tables['connector']>;

/** A connector. Its secrets stay sealed. */
export type ConnectorRecord = Omit<ConnectorRow, 'settings' | 'secrets'> & {
  readonly settings: Readonly<Record<string, string>>;
  /** Sealed, by the names of the kind's secret fields. */
  readonly sealed: Readonly<Record<string, string>>;
};

const fromRow = ({ settings, secrets, ...row }: ConnectorRow): ConnectorRecord => ({
  ...row,
  settings: JSON.parse(settings) as Record<string, string>,
  sealed: JSON.parse(secrets) as Record<string, string>,
});

/** Every connector, by name. */
export async function allConnectors(db: LedgerReader): Promise<ConnectorRecord[]> {
  return (await db.selectFrom('connector').selectAll().orderBy('name_key').execute()).map(fromRow);
}

/** The connector of a whole id or a name in lower case, if there is one. */
export async function connectorBy(
  db: LedgerReader,
  column: 'id' | 'name_key',
  value: string,
): Promise<ConnectorRecord | undefined> {
  const row = await db.selectFrom('connector').selectAll().where(column, '=', value).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** A connector by id, name or unique prefix. Errors: CONNECTOR_NOT_FOUND, ID_AMBIGUOUS. */
export async function findConnector(db: LedgerReader, given: string): Promise<ConnectorRecord> {
  const id = await findIdOrName(db, 'connector', 'connector', given, 'CONNECTOR_NOT_FOUND', async () => {
    const named = await connectorBy(db, 'name_key', given.toLowerCase());
    return named?.id;
  });
  return fromRow(await db.selectFrom('connector').selectAll().where('id', '=', id).executeTakeFirstOrThrow());
}
