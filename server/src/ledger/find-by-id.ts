import { CurfewError, idPrefix, ID_KINDS, isId, type ErrorCode, type IdKind } from '@curfew/shared';
import type { LedgerReader } from './ledger.js';
import type { Tables } from './tables.js';

type TableWithId = { [T in keyof Tables]: 'id' extends keyof Tables[T] ? T : never }[keyof Tables];

/** The row count at which an ambiguous prefix stops being counted. */
const COUNT_LIMIT = 20;

/** The whole id that a typed id or unique prefix stands for. Errors: `missing`, ID_AMBIGUOUS. */
export async function findId(
  db: LedgerReader,
  table: TableWithId,
  kind: IdKind,
  given: string,
  missing: ErrorCode,
): Promise<string> {
  const prefix = idPrefix(kind, given);
  const rows =
    /^[a-z]{3}-[0-9a-z]+$/.test(prefix) && prefix.length > ID_KINDS[kind].length + 1
      ? await db
          .selectFrom(table as 'session')
          .select('id')
          .where('id', '>=', prefix)
          .where('id', '<', `${prefix}{`)
          .limit(COUNT_LIMIT)
          .execute()
      : [];
  const [only] = rows;
  if (only === undefined) throw new CurfewError(missing, { given });
  if (rows.length > 1) throw new CurfewError('ID_AMBIGUOUS', { given, count: rows.length, what: `${kind}s` });
  return only.id;
}

/** How many ids one statement takes. */
const IDS_AT_ONCE = 1_000;

/** The same for many, each once, in their order. Whole ids are looked up together. Errors: `missing`, ID_AMBIGUOUS. */
export async function findIds(
  db: LedgerReader,
  table: TableWithId,
  kind: IdKind,
  given: readonly string[],
  missing: ErrorCode,
): Promise<string[]> {
  const whole = given.filter((id) => isId(kind, id));
  const known = new Set<string>();
  for (let at = 0; at < whole.length; at += IDS_AT_ONCE) {
    const query = db.selectFrom(table as 'session').select('id');
    const rows = await query.where('id', 'in', whole.slice(at, at + IDS_AT_ONCE)).execute();
    for (const { id } of rows) known.add(id);
  }
  const found = new Set<string>();
  for (const one of given) found.add(known.has(one) ? one : await findId(db, table, kind, one, missing));
  return [...found];
}

/** From how many characters on a typed prefix of an id is one on purpose: as many as the tools show. */
const SHOWN_ID = 12;

/**
 * The id of what is called so: a whole id before a name, a name before a prefix. Whoever may choose a name, such as a
 * device its host name, must not be able to catch what was meant for another's id. Errors: `missing`, ID_AMBIGUOUS.
 */
export async function findIdOrName(
  db: LedgerReader,
  table: TableWithId,
  kind: IdKind,
  given: string,
  missing: ErrorCode,
  byName: () => Promise<string | undefined>,
): Promise<string> {
  const byId = (): Promise<string | undefined> =>
    findId(db, table, kind, given, missing).catch((error: unknown) => {
      if (error instanceof CurfewError && error.code === missing) return undefined;
      throw error;
    });
  const whole = isId(kind, given) ? await byId() : undefined;
  if (whole !== undefined) return whole;
  const named = await byName();
  if (named === undefined) return findId(db, table, kind, given, missing);
  const asPrefix = idPrefix(kind, given).length >= SHOWN_ID ? await byId() : undefined;
  if (asPrefix !== undefined && asPrefix !== named)
    throw new CurfewError('ID_AMBIGUOUS', { given, count: 2, what: `${kind}s` });
  return named;
}
