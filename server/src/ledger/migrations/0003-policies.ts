import { sql, type Kysely } from 'kysely';

const appendOnly = (table: string): string[] =>
  ['update', 'delete'].map(
    (verb) =>
      `create trigger ${table}_is_append_only_${verb} before ${verb} on ${table}
         begin select raise(abort, '${table}_is_append_only'); end`,
  );

const columns = (table: string, definitions: readonly string[]): string[] =>
  definitions.map((definition) => `alter table ${table} add column ${definition}`);

const policies = [
  // What a policy has ever said. A version without a spec says that the policy was removed.
  `create table policy_version (name text not null, version integer not null check (version >= 1), policy_id text not null,
     description text not null, disabled integer not null check (disabled in (0, 1)), spec text, created_at_ms integer not null,
     created_by text not null, primary key (name, version))`,
  `create trigger policy_version_follows before insert on policy_version
     when new.version <> 1 + (select coalesce(max(version), 0) from policy_version where name = new.name)
     begin select raise(abort, 'policy_version_follows'); end`,
  ...appendOnly('policy_version'),
  `create table policy (id text primary key, name text not null, position integer not null check (position >= 1),
     version integer not null, description text not null, disabled integer not null check (disabled in (0, 1)), spec text not null,
     updated_at_ms integer not null, updated_by text not null, constraint policy_name_is_taken unique (name))`,
  `create index policy_by_position on policy (position)`,
  ...['insert', 'update'].map(
    (verb) => `create trigger policy_is_its_last_version_${verb} before ${verb} on policy
       when not exists (select 1 from policy_version v where v.name = new.name and v.version = new.version and v.policy_id = new.id
         and v.spec = new.spec and v.disabled = new.disabled and v.description = new.description
         and not exists (select 1 from policy_version n where n.name = v.name and n.version > v.version))
       begin select raise(abort, 'policy_is_its_last_version'); end`,
  ),
];

/** What everybody could do before there were policies: the first policy of every ledger says so, and can be changed. */
const OPEN = {
  id: 'pol-00000000000000000000',
  name: 'default',
  description: 'Everybody may ask for every device; any approver decides.',
  spec: '{"effect":"allow"}',
};

const requests = [
  ...columns('access_request', [
    `policy_name text not null default ''`,
    `policy_version integer not null default 0`,
    `ticket text not null default ''`,
    `step integer not null default 1 check (step >= 1)`,
    `break_glass integer not null default 0 check (break_glass in (0, 1))`,
    `review_state text not null default '' check (review_state in ('', 'waiting', 'accepted', 'rejected'))`,
  ]),
  `create trigger access_request_policy_exists before insert on access_request
     when new.policy_name <> '' and not exists (select 1 from policy_version v
       where v.name = new.policy_name and v.version = new.policy_version and v.spec is not null)
     begin select raise(abort, 'access_request_policy_exists'); end`,
  `create trigger access_request_keeps_its_policy before update of policy_name, policy_version, user_id on access_request
     when new.policy_name <> old.policy_name or new.policy_version <> old.policy_version or new.user_id <> old.user_id
     begin select raise(abort, 'access_request_keeps_its_policy'); end`,
  `create index access_request_review_waiting on access_request (created_at_ms) where review_state = 'waiting'`,
  `create index access_request_by_user on access_request (user_id, state, created_at_ms)`,
  // A person counts once for a request. The policy itself has no user id.
  `create table request_decision (request_id text not null references access_request (id), seq integer not null,
     step integer not null check (step >= 1), approved integer not null check (approved in (0, 1)),
     user_id text references app_user (id), decided_by text not null, reason text not null, at_ms integer not null,
     primary key (request_id, seq), constraint request_decision_once_for_each_person unique (request_id, user_id))`,
  ...appendOnly('request_decision'),
  `create table request_review (request_id text primary key references access_request (id),
     user_id text not null references app_user (id), accepted integer not null check (accepted in (0, 1)),
     reviewed_by text not null, comment text not null, at_ms integer not null)`,
  `create trigger request_review_is_never_ones_own before insert on request_review
     when exists (select 1 from access_request r where r.id = new.request_id and r.user_id = new.user_id)
     begin select raise(abort, 'request_review_is_never_ones_own'); end`,
  ...appendOnly('request_review'),
];

const sessions = [
  ...columns('session', [
    `policy_name text not null default ''`,
    `policy_version integer not null default 0`,
    `break_glass integer not null default 0 check (break_glass in (0, 1))`,
    // How long it may last with every extension; null means the server's limit.
    `longest_ms integer`,
    `no_extension integer not null default 0 check (no_extension in (0, 1))`,
    `offline_end_after_ms integer check (offline_end_after_ms > 0)`,
  ]),
  `create index session_with_offline_rule on session (device_id)
     where offline_end_after_ms is not null and state in ('starting', 'active')`,
  `create index session_by_user_and_policy on session (user_id, policy_name, created_at_ms)`,
];

const others = [
  ...columns('app_user', [`email text not null default ''`]),
  `create table user_group (user_id text not null references app_user (id), name text not null check (name <> ''),
     primary key (user_id, name)) without rowid`,
  `create index user_group_by_name on user_group (name)`,
  // People look for their own accounts by name.
  `create index device_account_by_name on device_account (lower(name))`,
  ...columns('device', [
    `labels text not null default '{}'`,
    `platform text generated always as (coalesce(json_extract(facts, '$.platform'), '')) virtual`,
  ]),
];

/** Policies and what they need: versions, decisions step by step, reviews, groups of users, labels of devices. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...policies, ...requests, ...sessions, ...others]) await sql.raw(statement).execute(db);
  const { id, name, description, spec } = OPEN;
  await sql`insert into policy_version (name, version, policy_id, description, disabled, spec, created_at_ms, created_by)
    values (${name}, 1, ${id}, ${description}, 0, ${spec}, 0, 'server')`.execute(db);
  await sql`insert into policy (id, name, position, version, description, disabled, spec, updated_at_ms, updated_by)
    values (${id}, ${name}, 1, 1, ${description}, 0, ${spec}, 0, 'server')`.execute(db);
}
