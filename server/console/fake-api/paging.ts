import { refuse } from './refusal.js';

export interface PageRequest {
  readonly orderBy?: string;
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextPageToken: string;
  readonly totalSize: number;
}

/** A page of things in the wanted order, and where to go on. */
export function pageOf<T>(
  things: readonly T[],
  request: PageRequest,
  orders: Readonly<Record<string, (thing: T) => string | number>>,
  byDefault: string,
): Page<T> {
  const [name = '', direction] = (request.orderBy === undefined || request.orderBy === '' ? byDefault : request.orderBy)
    .trim()
    .split(/\s+/);
  const key = orders[name];
  if (key === undefined || (direction !== undefined && direction !== 'desc' && direction !== 'asc'))
    throw refuse('ORDER_BY_INVALID', { given: request.orderBy ?? '', allowed: Object.keys(orders).join(', ') });
  const sign = direction === 'desc' ? -1 : 1;
  const sorted = things
    .map((thing) => ({ thing, key: key(thing) }))
    .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
    .map(({ thing }) => thing);
  const size = request.pageSize === undefined || request.pageSize === 0 ? 100 : request.pageSize;
  if (size < 0 || size > 1000) throw refuse('FIELD_INVALID', { field: 'page_size', problem: 'must be 0 to 1000' });
  const start = readToken(request.pageToken);
  const items = sorted.slice(start, start + size);
  const end = start + items.length;
  return { items, nextPageToken: end < sorted.length ? `fake-${end}` : '', totalSize: sorted.length };
}

function readToken(token: string | undefined): number {
  if (token === undefined || token === '') return 0;
  const number = /^fake-(\d{1,9})$/.exec(token)?.[1];
  if (number === undefined) throw refuse('PAGE_TOKEN_INVALID');
  return Number(number);
}
