import { CurfewError } from '@curfew/shared';
import { sql, type RawBuilder } from 'kysely';
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A list call's order: a column and a direction; the id breaks ties. */
export interface OrderBy {
  readonly column: string;
  readonly descending: boolean;
}

/** Reads 'column' or 'column desc'. Errors: ORDER_BY_INVALID. */
export function parseOrderBy(given: string, columns: Readonly<Record<string, string>>, fallback: string): OrderBy {
  const [, name = '', direction] = /^([a-z_]+)( desc)?$/.exec(given === '' ? fallback : given) ?? [];
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
  if (column === undefined)
    throw new CurfewError('ORDER_BY_INVALID', {
      given,
      allowed: `${Object.keys(columns).join(', ')}, each with ' desc' if wanted`,
    });
  return { column, descending: direction !== undefined };
}

/** Where a page ended: the order column's value and the id of its last row. */
export interface Cursor {
  readonly value: string | number;
  readonly id: string;
}

/** Writes a page token that only this ledger can have written, for this very list. */
export function writePageToken(key: string, scope: string, cursor: Cursor): string {
  const body = Buffer.from(JSON.stringify([cursor.value, cursor.id])).toString('base64url');
  return `${body}.${mac(key, scope, body)}`;
}

/** Reads a page token back; undefined for the first page. Errors: PAGE_TOKEN_INVALID. */
export function readPageToken(key: string, scope: string, token: string): Cursor | undefined {
  if (token === '') return undefined;
  const [body = '', given = ''] = token.split('.');
  const [a, b] = [Buffer.from(mac(key, scope, body)), Buffer.from(given)];
  if (a.length !== b.length || !timingSafeEqual(a, b)) throw new CurfewError('PAGE_TOKEN_INVALID');
  const [value, id] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string | number, string];
  return { value, id };
}

const mac = (key: string, scope: string, body: string): string =>
  createHmac('sha256', key).update(`${scope}\n${body}`).digest('base64url').slice(0, 22);

/** The condition that a row stands behind the cursor: by the order's column, ties by id. */
export function afterCursor(
  column: string | RawBuilder<unknown>,
  id: string,
  order: OrderBy,
  { value, id: lastId }: Cursor,
): RawBuilder<boolean> {
  const [key, idKey] = [typeof column === 'string' ? sql.ref(column) : column, sql.ref(id)];
  return order.descending
    ? sql<boolean>`(${key} < ${value} or (${key} = ${value} and ${idKey} > ${lastId}))`
    : sql<boolean>`(${key} > ${value} or (${key} = ${value} and ${idKey} > ${lastId}))`;
}

/** Cuts a page out of rows that were read one beyond it, and says where to go on: '' on the last page. */
export function cutPage<Row extends { readonly id: string; readonly sort_key: string | number }>(
  rows: readonly Row[],
  size: number,
  key: string,
  scope: string,
): { readonly shown: Row[]; readonly nextPageToken: string } {
  const shown = rows.slice(0, size);
  const last = rows.length > size ? shown.at(-1) : undefined;
  const nextPageToken = last === undefined ? '' : writePageToken(key, scope, { value: last.sort_key, id: last.id });
  return { shown, nextPageToken };
}

/** How many rows a page has. */
export const pageSize = (asked: number): number => (asked === 0 ? 100 : asked);

/** Makes text safe inside a LIKE pattern with escape '\'. */
export const likePattern = (text: string): string =>
  `%${text.toLowerCase().replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
