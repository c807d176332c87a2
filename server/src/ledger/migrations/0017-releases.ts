import { sql, type Kysely } from 'kysely';

const statements = [
  `create table release (id text primary key, version text not null, platform text not null, arch text not null,
     size integer not null, sha256 text not null, key_id text not null, statement text not null,
     received integer not null, created_by text not null, created_at_ms integer not null,
     constraint release_is_one_per_platform unique (version, platform, arch),
     constraint release_is_added_once unique (sha256),
     constraint release_has_no_more_than_its_size check (received between 0 and size))`,
  `create table rollout (id text primary key, version text not null, state text not null,
     reason text not null, percent integer not null, device_ids text not null,
     started_by text not null, started_at_ms integer not null,
     constraint rollout_state_is_known check (state in ('running', 'paused', 'finished')),
     constraint rollout_share_is_a_percentage check (percent between 0 and 100))`,
  `create unique index rollout_is_one_at_a_time on rollout ((1)) where state <> 'finished'`,
  `alter table device add column update_state text
     constraint device_update_state_is_known check (update_state in ('unspecified', 'fetching', 'waiting', 'trying',
       'installed', 'refused', 'rolled_back', 'missing'))`,
  `alter table device add column update_version text not null default ''`,
  `alter table device add column update_code text not null default ''`,
  `alter table device add column update_detail text not null default ''`,
  'alter table device add column update_since_ms integer',
  `create index device_trying on device (update_since_ms) where update_state = 'trying'`,
];

/** Releases of the agent, their rollouts, and how far each device has come; null where a device takes none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
