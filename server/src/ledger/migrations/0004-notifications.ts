import { sql, type Kysely } from 'kysely';
import { CHANNEL_KINDS, DELIVERY_STATES } from '../../notifiers/channel-kind.js';

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

const statements = (): string[] => [
  // A channel follows the audit log by its cursor, so that what happens writes nothing for it.
  `create table channel (id text primary key, name text not null, name_key text not null unique,
     kind text not null check (kind in (${list(CHANNEL_KINDS)})), target text not null, event_types text not null,
     disabled integer not null check (disabled in (0, 1)), secret text not null, created_at_ms integer not null,
     cursor integer not null check (cursor >= 0), last_error text not null, last_delivered_at_ms integer)`,
  `create trigger channel_cursor_only_grows before update of cursor on channel when new.cursor < old.cursor
     begin select raise(abort, 'channel_cursor_only_grows'); end`,
  `create trigger channel_kind_never_changes before update of kind on channel when new.kind <> old.kind
     begin select raise(abort, 'channel_kind_never_changes'); end`,
  `create table channel_slack_user (channel_id text not null references channel (id) on delete cascade,
     slack_id text not null, user_id text not null references app_user (id), primary key (channel_id, slack_id))`,
  `create table delivery (id text primary key, channel_id text not null references channel (id) on delete cascade,
     event_idx integer not null references audit_event (idx), event_type text not null,
     state text not null check (state in (${list(DELIVERY_STATES)})), attempts integer not null check (attempts > 0),
     refusals integer not null check (refusals between 0 and attempts), last_error text not null,
     created_at_ms integer not null, next_attempt_at_ms integer,
     constraint delivery_one_per_event unique (channel_id, event_idx),
     constraint delivery_waits_for_a_time check ((state = 'waiting') = (next_attempt_at_ms is not null)))`,
  `create index delivery_due on delivery (channel_id, next_attempt_at_ms) where state = 'waiting'`,
  `create index delivery_by_state on delivery (state, created_at_ms)`,
  // What the overview counts over the last weeks is in the index itself; the order by time stays what it was.
  `drop index session_by_created`,
  `create index session_by_created on session (created_at_ms, kind, user_id, reason)`,
  `create index device_to_look_at on device (name) where state <> 'removed' and (findings <> '[]' or state = 'identity_conflict')`,
];

/** Channels, what waits for them, and what the overview counts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
}
