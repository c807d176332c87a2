import {
  REQUEST_MOVES,
  REQUEST_STATES,
  SESSION_MOVES,
  SESSION_STATES,
  END_REASONS,
  SESSION_KINDS,
} from '@curfew/shared';
import { sql, type Kysely } from 'kysely';

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

/** A state machine in SQL: the table of legal moves, and an append-only table of the moves that were made. */
function stateMachine(noun: string, table: string, states: readonly string[]): string[] {
  return [
    `create table ${noun}_state_allowed (
       prior_state text not null, state text not null check (state in (${list(states)})),
       primary key (prior_state, state))`,
    // The first row of a life comes from 'none'; every later one from the row before it.
    `create table ${noun}_transition (
       ${noun}_id text not null, seq integer not null, prior_seq integer not null,
       prior_state text not null, state text not null, at_ms integer not null,
       primary key (${noun}_id, seq), unique (${noun}_id, seq, state),
       constraint ${noun}_seq_follows check (seq = prior_seq + 1 and prior_seq >= 0),
       constraint ${noun}_starts_from_none check ((prior_seq = 0) = (prior_state = 'none')),
       constraint ${noun}_move_is_legal foreign key (prior_state, state) references ${noun}_state_allowed (prior_state, state))`,
    `create trigger ${noun}_transition_follows before insert on ${noun}_transition
       when new.prior_seq > 0 and not exists (select 1 from ${noun}_transition t
         where t.${noun}_id = new.${noun}_id and t.seq = new.prior_seq and t.state = new.prior_state)
       begin select raise(abort, '${noun}_transition_follows'); end`,
    ...appendOnly(`${noun}_transition`),
    `create trigger ${noun}_state_is_last_transition_insert before insert on ${table}
       when not exists (select 1 from ${noun}_transition t where t.${noun}_id = new.id and t.seq = new.seq and t.state = new.state)
       begin select raise(abort, '${noun}_state_is_last_transition'); end`,
    `create trigger ${noun}_state_is_last_transition_update before update of state, seq on ${table}
       when not exists (select 1 from ${noun}_transition t where t.${noun}_id = new.id and t.seq = new.seq and t.state = new.state)
       begin select raise(abort, '${noun}_state_is_last_transition'); end`,
  ];
}

function appendOnly(table: string): string[] {
  return ['update', 'delete'].map(
    (verb) =>
      `create trigger ${table}_is_append_only_${verb} before ${verb} on ${table}
         begin select raise(abort, '${table}_is_append_only'); end`,
  );
}

const statements = (): string[] => [
  `create table ledger_meta (key text primary key, value text not null)`,
  `create table app_user (id text primary key, name text not null, name_key text not null unique, display_name text not null,
     role text not null check (role in ('user', 'viewer', 'approver', 'admin', 'owner')),
     disabled integer not null check (disabled in (0, 1)), created_at_ms integer not null)`,
  `create table api_token (id text primary key, hash text not null unique, user_id text not null references app_user (id),
     label text not null, scope text not null, created_at_ms integer not null, expires_at_ms integer not null,
     last_used_at_ms integer, revoked_at_ms integer)`,
  `create table join_token (id text primary key, hash text not null unique, uses integer not null,
     uses_left integer not null, created_by text not null, created_at_ms integer not null, expires_at_ms integer not null,
     revoked_at_ms integer, constraint join_token_not_overused check (uses_left between 0 and uses))`,
  `create table device (id text primary key, name text not null, key_hash text not null unique,
     state text not null check (state in ('enrolled', 'identity_conflict', 'removed')), facts text not null,
     findings text not null, enrolled_at_ms integer not null, removed_at_ms integer, last_seen_at_ms integer,
     generation integer not null, applied_generation integer not null, epoch integer not null, revoked_epoch integer not null)`,
  `create unique index device_name_unique on device (name) where state <> 'removed'`,
  `create table device_account (device_id text not null references device (id), name text not null, uid integer not null,
     fingerprint text not null, standing_admin integer not null, ineligible_reason text not null, primary key (device_id, uid))`,
  `create table account_link (device_id text not null references device (id), uid integer not null, account_name text not null,
     user_id text not null references app_user (id), linked_by text not null, primary key (device_id, uid))`,
  `create index account_link_by_user on account_link (user_id)`,
  // What the sessions and requests below refer to; 0006 has the rest of timed access.
  `create table connector (id text primary key, name text not null, name_key text not null unique, kind text not null,
     settings text not null, secrets text not null, disabled integer not null check (disabled in (0, 1)),
     created_at_ms integer not null, failures integer not null default 0 check (failures >= 0),
     failing_since_ms integer, next_attempt_at_ms integer, last_error text not null default '',
     constraint connector_failing_has_a_time check ((failing_since_ms is null) = (failures = 0)))`,
  `create table resource (id text primary key, name text not null, name_key text not null, description text not null,
     kind text not null, connector_id text references connector (id), device_id text references device (id),
     target text not null, disabled integer not null check (disabled in (0, 1)), created_at_ms integer not null,
     removed_at_ms integer, compared_at_ms integer)`,
  `create table access_request (id text primary key, user_id text not null references app_user (id),
     device_id text references device (id), resource_id text references resource (id), account text not null, options text not null,
     duration_ms integer not null check (duration_ms > 0), reason text not null, state text not null, seq integer not null, created_at_ms integer not null, decide_by_ms integer not null,
     decided_at_ms integer, decided_by text not null, decision_reason text not null, start_by_ms integer, session_id text,
     constraint access_request_has_a_target check (device_id is not null or resource_id is not null))`,
  ...stateMachine('request', 'access_request', REQUEST_STATES).map((text) =>
    text.replaceAll('request_transition', 'access_request_transition'),
  ),
  `create index access_request_by_state on access_request (state, created_at_ms)`,
  `create index access_request_by_device on access_request (device_id, created_at_ms)`,
  `create index access_request_by_resource on access_request (resource_id, state) where resource_id is not null`,
  `create table session (id text primary key, kind text not null check (kind in (${list(SESSION_KINDS)})), state text not null,
     seq integer not null, user_id text not null references app_user (id), device_id text references device (id),
     resource_id text references resource (id), uid integer not null, account text not null, options text not null, request_id text references access_request (id),
     reason text not null, granted_by text not null, epoch integer not null, duration_ms integer not null check (duration_ms > 0),
     created_at_ms integer not null, active_at_ms integer, expires_at_ms integer not null, ending_at_ms integer, ending_generation integer,
     ended_at_ms integer, end_reason text check (end_reason in (${list(END_REASONS)})), ended_by text not null,
     end_detail text not null, revision integer not null,
     constraint session_of_a_resource_is_timed_access check ((kind = 'timed_access') = (resource_id is not null)),
     constraint session_has_a_target check (device_id is not null or resource_id is not null),
     constraint session_end_has_reason check ((state in ('ending', 'ended')) = (end_reason is not null)),
     constraint session_ended_has_time check ((state = 'ended') = (ended_at_ms is not null)))`,
  ...stateMachine('session', 'session', SESSION_STATES),
  `create unique index session_one_live_per_account on session (device_id, uid)
     where state in ('starting', 'active') and resource_id is null`,
  `create unique index session_one_live_per_user_of_a_resource on session (resource_id, user_id)
     where state in ('starting', 'active') and resource_id is not null`,
  `create index session_by_resource on session (resource_id, state) where resource_id is not null`,
  `create index session_live on session (expires_at_ms) where state <> 'ended'`,
  `create index session_due on session (expires_at_ms) where state in ('starting', 'active')`,
  `create index session_by_device on session (device_id, state)`,
  `create index session_by_user on session (user_id, state)`,
  `create index session_by_created on session (created_at_ms)`,
  `create table audit_event (idx integer primary key, at_ms integer not null, type text not null, actor text not null,
     subject text not null, record blob not null)`,
  `create table audit_node (level integer not null, idx integer not null, hash blob not null, primary key (level, idx)) without rowid`,
  `create table audit_checkpoint (size integer not null, origin text not null, note text not null, primary key (size, origin))`,
  ...['audit_event', 'audit_node', 'audit_checkpoint'].flatMap(appendOnly),
  `create index audit_event_by_subject on audit_event (subject, idx)`,
  `create table change (revision integer primary key autoincrement, kind text not null, id text not null, device_id text not null)`,
];

/** The first shape of the ledger. What is legal is in the schema, so that no program error can write what is not. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
  for (const [noun, moves] of [
    ['request', REQUEST_MOVES],
    ['session', SESSION_MOVES],
  ] as const)
    for (const [from, to] of moves)
      await sql`insert into ${sql.table(`${noun}_state_allowed`)} (prior_state, state) values (${from ?? 'none'}, ${to})`.execute(
        db,
      );
}
