import { CurfewError } from '@curfew/shared';
import type Database from 'better-sqlite3';

/** The version of the tables, in `pragma user_version`. */
const VERSION = 1;

const TABLES = `
  create table recording (
    id text primary key,
    session_id text not null,
    device_id text not null,
    started_at_ms integer not null,
    state text not null
      constraint recording_state_is_known check (state in ('running', 'complete', 'cut_short', 'refused')),
    size integer not null constraint recording_size_is_not_negative check (size >= 0),
    total_size integer not null,
    open integer not null constraint recording_open_is_a_flag check (open in (0, 1)),
    head blob not null,
    cut_at_ms integer,
    session_ended_at_ms integer,
    keep_ms integer constraint recording_keep_is_positive check (keep_ms > 0),
    deleted integer not null default 0 constraint recording_deleted_is_a_flag check (deleted in (0, 1))
  ) strict;
  create index recording_of_session on recording (session_id, started_at_ms, id);
  create index recording_open on recording (device_id) where open = 1;
  create index recording_of_open_session on recording (session_id) where session_ended_at_ms is null;
  create index recording_kept_by_default on recording (session_ended_at_ms) where keep_ms is null;
  create index recording_kept_by_rule on recording (session_ended_at_ms + keep_ms) where keep_ms is not null;
  create index recording_deleted on recording (id) where deleted = 1;
  create table recording_chunk (
    recording_id text not null,
    start integer not null,
    size integer not null constraint recording_chunk_is_not_empty check (size > 0),
    body blob not null,
    primary key (recording_id, start)
  ) strict;
`;

/** A database gives back the room of what is deleted only when that was said before its first table. */
export const givesRoomBack = (db: Database.Database): unknown => db.pragma('auto_vacuum = INCREMENTAL');

/** Makes the tables where there are none. Errors: STORAGE_UNSAFE when a newer version has made them. */
export function makeTables(db: Database.Database): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > VERSION)
    throw new CurfewError('STORAGE_UNSAFE', {
      problem: `the recordings are of version ${version}, newer than this server`,
    });
  if (version < VERSION) db.exec(`begin immediate; ${TABLES} pragma user_version = ${VERSION}; commit`);
}

export interface RecordingRow {
  readonly id: string;
  readonly session_id: string;
  readonly device_id: string;
  readonly started_at_ms: number;
  readonly state: string;
  readonly size: number;
  /** How many bytes of events the device has said that there are. */
  readonly total_size: number;
  readonly open: number;
  readonly head: Buffer;
  readonly cut_at_ms: number | null;
}

export interface ChunkRow {
  readonly start: number;
  readonly size: number;
  readonly body: Buffer;
}
