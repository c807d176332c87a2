import { sql, type Kysely } from 'kysely';
import { DRIFT_KINDS, GRANT_PHASES } from '../../timed-access/grant-phase.js';

const list = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

const statements = (): string[] => [
  `create unique index resource_name_unique on resource (name_key) where removed_at_ms is null`,
  `create index resource_by_connector on resource (connector_id)`,
  `create index resource_by_name on resource (name)`,
  `create trigger connector_kind_never_changes before update of kind on connector when new.kind <> old.kind
     begin select raise(abort, 'connector_kind_never_changes'); end`,
  `create trigger resource_removed_stays_removed before update on resource
     when old.removed_at_ms is not null and new.removed_at_ms is not old.removed_at_ms
     begin select raise(abort, 'resource_removed_stays_removed'); end`,
  `create table resource_subject (resource_id text not null references resource (id),
     user_id text not null references app_user (id), subject text not null check (subject <> ''),
     primary key (resource_id, user_id)) without rowid`,
  `create table resource_grant (session_id text primary key references session (id),
     resource_id text not null references resource (id), phase text not null check (phase in (${list(GRANT_PHASES)})),
     subject_id text not null, subject_label text not null, until_ms integer, due_at_ms integer,
     attempts integer not null check (attempts >= 0), attempt_error text not null, doubtful_until_ms integer not null,
     noticed_at_ms integer,
     constraint resource_grant_intends_for_somebody check (phase not in ('adding', 'held') or subject_id <> ''))`,
  `create index resource_grant_due on resource_grant (resource_id, due_at_ms) where due_at_ms is not null`,
  `create index resource_grant_by_subject on resource_grant (resource_id, subject_id)`,
  `create index resource_grant_not_begun on resource_grant (session_id) where phase = 'finding'`,
  `create index resource_grant_open on resource_grant (resource_id, subject_id) where phase in ('adding', 'held')`,
  // What was begun there is never forgotten, whatever a program does.
  `create trigger resource_grant_only_goes_on before update of phase on resource_grant
     when (old.phase = 'gone' and new.phase <> 'gone') or (old.phase in ('adding', 'held') and new.phase = 'finding')
       or (old.phase = 'held' and new.phase = 'adding')
     begin select raise(abort, 'resource_grant_only_goes_on'); end`,
  `create trigger session_of_a_resource_is_active_when_held before update of state on session
     when new.resource_id is not null and new.state = 'active' and old.state <> 'active' and exists (select 1 from resource_grant g where g.session_id = new.id and g.phase <> 'held')
     begin select raise(abort, 'session_of_a_resource_is_active_when_held'); end`,
  `create trigger session_of_a_resource_ends_when_gone before update of state on session
     when new.resource_id is not null and new.state = 'ended' and exists (select 1 from resource_grant g where g.session_id = new.id and g.phase <> 'gone')
     begin select raise(abort, 'session_of_a_resource_ends_when_gone'); end`,
  // Whoever decides an end does not have to know that there is something to do for it.
  `create trigger resource_grant_is_due_at_the_end after update of state on session
     when new.resource_id is not null and new.state = 'ending'
     begin update resource_grant set due_at_ms = new.ending_at_ms, attempts = 0, attempt_error = '', noticed_at_ms = null
       where session_id = new.id and phase <> 'gone'; end`,
  `create table resource_member (resource_id text not null references resource (id), subject_id text not null,
     label text not null, primary key (resource_id, subject_id)) without rowid`,
  `create table resource_drift (resource_id text not null references resource (id),
     kind text not null check (kind in (${list(DRIFT_KINDS)})), subject_id text not null, label text not null,
     session_id text not null, seen_at_ms integer not null, primary key (resource_id, kind, subject_id, session_id))`,
];

/** How people are called in resources, how far each session has come there, and what compares otherwise. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements()) await sql.raw(statement).execute(db);
}
