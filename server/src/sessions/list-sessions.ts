import type { InstantMs, SessionState } from '@curfew/shared';
import { sql, type RawBuilder } from 'kysely';
import { findDevice } from '../devices/find-device.js';
import { OPEN_STATES } from '../ledger/conditions.js';
import type { LedgerReader, SessionSearch } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { afterCursor, cutPage, pageSize, parseOrderBy, readPageToken } from '../ledger/paging.js';
import { findResource } from '../resources/find-resource.js';
import { findUser } from '../users/users.js';
import { sessionsById, type SessionRecord } from './session-record.js';

const ORDER = {
  create_time: 's.created_at_ms',
  expire_time: 's.expires_at_ms',
  user_name: 'u.name',
  device_name: 'd.name',
  resource_name: 'target.name',
  state: 's.state',
} as const;

/**
 * Where each order is read from. A cross join is what SQLite never turns round (sqlite.org/optoverview.html, 5.2): names
 * come out of their index in order, and a page of them ends the search.
 */
const SOURCES: Readonly<Record<string, RawBuilder<unknown>>> = {
  'u.name': sql`app_user u cross join session s`,
  'd.name': sql`device d cross join session s`,
};
/** The same for few sessions, which are found first and put in order then. */
const SOURCES_OF_FEW: typeof SOURCES = {
  'u.name': sql`session s cross join app_user u`,
  'd.name': sql`session s cross join device d`,
};
/** What belongs together in them: a cross join has no condition of its own. */
const JOINED: typeof SOURCES = {
  'u.name': sql`s.user_id = u.id`,
  'd.name': sql`s.device_id = d.id`,
};

/** What both kinds of sessions are called by: the resource, else the device. */
const TARGET_NAME = {
  source: sql`session s left join device d on d.id = s.device_id left join resource r on r.id = s.resource_id`,
  column: sql`coalesce(r.name, d.name)`,
};

export interface SessionFilter {
  readonly kind: string;
  readonly states: readonly SessionState[];
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly text: string;
  /** As the devices' facts name it, such as 'PLATFORM_LINUX'; '' means all. */
  readonly platform: string;
  readonly endingWithinMs: number | undefined;
  readonly createdAfterMs: number | undefined;
}

export interface SessionListInput {
  readonly filter: SessionFilter;
  readonly orderBy: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface SessionPage {
  readonly sessions: SessionRecord[];
  readonly nextPageToken: string;
  readonly total: number;
}

/** A page of sessions and how many fit. Errors: PAGE_TOKEN_INVALID, ORDER_BY_INVALID, USER_NOT_FOUND, DEVICE_NOT_FOUND, RESOURCE_NOT_FOUND. */
export async function listSessions(
  db: LedgerReader,
  search: SessionSearch,
  input: SessionListInput,
  now: InstantMs,
): Promise<SessionPage> {
  const order = parseOrderBy(input.orderBy, ORDER, 'expire_time');
  const size = pageSize(input.pageSize);
  const { cursorKey } = await readMeta(db);
  const scope = `sessions ${JSON.stringify([input.filter, input.orderBy])}`;
  const cursor = readPageToken(cursorKey, scope, input.pageToken);
  const { text, states } = input.filter;
  const match = text === '' ? undefined : await search.match(db, text, states.includes('ended'));
  const fits = await conditions(db, input.filter, now);
  if (match !== undefined) fits.push(match.condition);
  const { source, column, joined } = placeOf(order.column, input.filter.kind, match?.isRare === true);
  const behind = cursor === undefined ? [] : [afterCursor(column, 's.id', order, cursor)];
  const { rows } = await sql<{ id: string; sort_key: string | number }>`
    select s.id, ${column} as sort_key from ${source}
    where ${sql.join([...joined, ...fits, ...behind], sql` and `)}
    order by ${column} ${sql.raw(order.descending ? 'desc' : 'asc')}, s.id limit ${size + 1}`.execute(db);
  const counted = await sql<{ total: number }>`
    select count(*) as total from session s where ${sql.join(fits, sql` and `)}`.execute(db);
  const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
  const sessions = await sessionsById(
    db,
    shown.map(({ id }) => id),
  );
  return { sessions, nextPageToken, total: counted.rows[0]?.total ?? 0 };
}

/** By device, admin rights come out of the index of devices; what is not on a device has a place among them all the same. */
function placeOf(
  column: string,
  kind: string,
  isOfFew: boolean,
): {
  readonly source: RawBuilder<unknown>;
  readonly column: RawBuilder<unknown>;
  readonly joined: readonly RawBuilder<unknown>[];
} {
  if (column === 'target.name' || (column === 'd.name' && kind !== 'device_admin'))
    return { ...TARGET_NAME, joined: [] };
  const sources = isOfFew ? SOURCES_OF_FEW : SOURCES;
  const joined = JOINED[column];
  return {
    source: sources[column] ?? sql`session s`,
    column: sql.ref(column),
    joined: joined === undefined ? [] : [joined],
  };
}

/** What a session must fit beside its text, in terms of the session alone: counting then joins nothing. */
async function conditions(db: LedgerReader, filter: SessionFilter, now: InstantMs): Promise<RawBuilder<unknown>[]> {
  // Every session has an end; naming it leads SQLite to the index of what is live. The states, one by one, let it find those
  // of a user or device without reading what they had before.
  const fits =
    filter.states.length > 0
      ? [sql`s.state in (${sql.join(filter.states)})`]
      : [sql`s.state <> 'ended'`, sql`s.expires_at_ms > 0`, sql`s.state in (${sql.join(OPEN_STATES)})`];
  if (filter.kind !== '') fits.push(sql`s.kind = ${filter.kind}`);
  if (filter.user !== '') fits.push(sql`s.user_id = ${(await findUser(db, filter.user)).id}`);
  if (filter.device !== '') fits.push(sql`s.device_id = ${(await findDevice(db, filter.device)).id}`);
  if (filter.resource !== '') fits.push(sql`s.resource_id = ${(await findResource(db, filter.resource)).id}`);
  if (filter.platform !== '')
    fits.push(sql`s.device_id in (select id from device where platform = ${filter.platform})`);
  if (filter.endingWithinMs !== undefined) fits.push(sql`s.expires_at_ms <= ${now + filter.endingWithinMs}`);
  if (filter.createdAfterMs !== undefined) fits.push(sql`s.created_at_ms >= ${filter.createdAfterMs}`);
  return fits;
}
