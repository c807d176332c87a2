import { sql, type Kysely } from 'kysely';

const STATEMENTS = [
  `alter table app_user add column last_sign_in_at_ms integer`,
  // The sign-in that let a command line in. No reference: a token's record outlives the sign-in's.
  `alter table api_token add column sign_in_id text`,
  `create index api_token_by_sign_in on api_token (sign_in_id) where sign_in_id is not null`,
  `create table user_password (user_id text primary key references app_user (id), hash text not null,
     must_change integer not null check (must_change in (0, 1)), changed_at_ms integer not null,
     constraint user_password_is_argon2id check (hash like '$argon2id$%'))`,
  // A code counts for one step of time; a step that was used, and all before it, never count again.
  `create table user_totp (user_id text primary key references app_user (id), sealed_secret text not null,
     begun_at_ms integer not null, confirmed_at_ms integer, last_step integer not null)`,
  `create trigger user_totp_step_only_grows before update of last_step on user_totp
     when new.sealed_secret = old.sealed_secret and new.last_step <= old.last_step
     begin select raise(abort, 'user_totp_step_only_grows'); end`,
  `create table recovery_code (user_id text not null references app_user (id), hash text not null, used_at_ms integer,
     primary key (user_id, hash))`,
  `create trigger recovery_code_works_once before update on recovery_code when old.used_at_ms is not null
     begin select raise(abort, 'recovery_code_works_once'); end`,
  `create table sign_in (id text primary key, hash text not null unique, user_id text not null references app_user (id),
     method text not null check (method in ('password', 'password and code', 'oidc')), address text not null,
     user_agent text not null, created_at_ms integer not null, last_used_at_ms integer not null,
     expires_at_ms integer not null, fresh_at_ms integer not null, ended_at_ms integer,
     provider_sid text, sealed_refresh_token text, refresh_at_ms integer,
     constraint sign_in_ends_after_its_begin check (expires_at_ms > created_at_ms),
     constraint sign_in_refresh_has_time check ((sealed_refresh_token is null) = (refresh_at_ms is null)))`,
  `create index sign_in_by_user on sign_in (user_id, created_at_ms)`,
  `create index sign_in_by_provider on sign_in (provider_sid) where provider_sid is not null`,
  `create index sign_in_to_refresh on sign_in (refresh_at_ms) where refresh_at_ms is not null and ended_at_ms is null`,
  `create trigger sign_in_ended_stays_ended before update on sign_in when old.ended_at_ms is not null
     begin select raise(abort, 'sign_in_ended_stays_ended'); end`,
  `create trigger sign_in_keeps_its_limit before update of expires_at_ms, hash, user_id, method on sign_in
     when new.expires_at_ms > old.expires_at_ms or new.hash <> old.hash or new.user_id <> old.user_id or new.method <> old.method
     begin select raise(abort, 'sign_in_keeps_its_limit'); end`,
  // A person at a provider is issuer and subject, never a mail address or a name.
  `create table oidc_identity (issuer text not null, subject text not null, user_id text not null references app_user (id),
     primary key (issuer, subject))`,
  `create index oidc_identity_by_user on oidc_identity (user_id)`,
];

/** Passwords, one-time codes, and who is signed in to the console. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}
