import { CurfewError, idPrefix, ID_KINDS, type ErrorCode, type IdKind } from '@curfew/shared';
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
