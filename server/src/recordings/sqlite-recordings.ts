import { CurfewError, idPrefix, type Clock, type Logger } from '@curfew/shared';
import type Database from 'better-sqlite3';
import { copyLogIfLong, isStorageFailure, isStorageFull, openSqlite } from '../ledger/sqlite-connection.js';
import { nextTurn } from '../next-turn.js';
import { CommitQueue } from './commit-queue.js';
import { piecesBeyond } from './frames.js';
import type { StoredRecording } from './recording.js';
import type { RecordingSeal } from './recording-seal.js';
import type { RecordingCount, RecordingCursor, RecordingPart, RecordingStore, SessionEnd } from './recording-store.js';
import { openHead, openHeadOrBare, sealedRow } from './sealed-head.js';
import { givesRoomBack, makeTables, type ChunkRow, type RecordingRow } from './recording-tables.js';

/** About how many bytes of events a chunk has. */
const CHUNK_BYTES = 65_536;
/** How many bytes a read gives at least, while there are so many. */
const READ_BYTES = 65_536;
/** How many bytes are deleted, and pages given back, in one turn of the event loop. */
const [DELETED_AT_ONCE, PAGES_AT_ONCE] = [4 * 1_048_576, 1_024];
/** How many recordings are marked as deleted in one turn. */
const MARKED_AT_ONCE = 500;
/** The row count at which an ambiguous prefix stops being counted. */
const COUNT_LIMIT = 20;

export interface SqliteRecordingsOptions {
  readonly file: string;
  readonly seal: RecordingSeal;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The most bytes of events that one recording may have. */
  readonly longest: number;
  /** Whether there is so little room left that it is kept for others. */
  readonly isFull: () => boolean;
}

/** What events open beside. */
const chunkPlace = (id: string, start: number): string => JSON.stringify(['events', id, start]);

const DUE = `deleted = 0 and (
  (keep_ms is null and session_ended_at_ms <= :now - :keep) or
  (keep_ms is not null and session_ended_at_ms + keep_ms <= :now))`;

/** Recordings in a SQLite file of their own. */
export class SqliteRecordings implements RecordingStore {
  private readonly queue: CommitQueue;
  private readonly statements = new Map<string, Database.Statement>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private changed = new Set<string>();
  private saidFull = false;
  /** Why nothing can be read or written any more. */
  private broken: unknown;

  private constructor(
    private readonly db: Database.Database,
    private readonly options: SqliteRecordingsOptions,
  ) {
    this.queue = new CommitQueue({
      db,
      before: () => {
        this.changed = new Set();
        if (this.broken !== undefined) throw new CurfewError('RECORDINGS_UNAVAILABLE');
      },
      after: () => {
        this.afterCommit();
      },
      failure: (error) => this.failure(error),
    });
  }

  /** Opens the recordings, making the file where there is none. Errors: STORAGE_UNSAFE, those of SQLite. */
  static open(options: SqliteRecordingsOptions): SqliteRecordings {
    const db = openSqlite(options.file, givesRoomBack);
    try {
      makeTables(db);
      return new SqliteRecordings(db, options);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  async append(part: RecordingPart): Promise<number> {
    const { length } = part.frames.bytes;
    if (length > 0 && this.hasNoRoom()) throw new CurfewError('RECORDINGS_FULL');
    return this.queue.write(length, () => this.appended(part));
  }

  get(id: string): Promise<StoredRecording> {
    return this.reading(() => openHead(this.options.seal, this.row(id)));
  }

  findId(given: string): Promise<string> {
    return this.reading(() => {
      const prefix = idPrefix('recording', given);
      const rows = /^rec-[0-9a-z]+$/.test(prefix)
        ? this.all<string>(
            'select id from recording where id >= ? and id < ? and deleted = 0 limit ?',
            [prefix, `${prefix}{`, COUNT_LIMIT],
            true,
          )
        : [];
      const [only] = rows;
      if (only === undefined) throw new CurfewError('RECORDING_NOT_FOUND', { given });
      if (rows.length > 1) throw new CurfewError('ID_AMBIGUOUS', { given, count: rows.length, what: 'recordings' });
      return only;
    });
  }

  list(sessionId: string, after: RecordingCursor | undefined, limit: number): Promise<StoredRecording[]> {
    return this.reading(() =>
      this.all<RecordingRow>(
        `select * from recording where session_id = ? and deleted = 0 and (started_at_ms, id) > (?, ?)
         order by started_at_ms, id limit ?`,
        [sessionId, after?.startedAtMs ?? -1, after?.id ?? '', limit],
      ).map((row) => openHeadOrBare(this.options.seal, row)),
    );
  }

  count(sessionId: string): Promise<number> {
    return this.reading(
      () =>
        this.all<number>('select count(*) from recording where session_id = ? and deleted = 0', [sessionId], true)[0] ??
        0,
    );
  }

  read(id: string, offset: number): Promise<Buffer> {
    return this.reading(() => {
      const { size } = this.row(id);
      const parts: Buffer[] = [];
      let at = offset;
      while (at < size && at - offset < READ_BYTES) {
        const [chunk] = this.all<ChunkRow>('select * from recording_chunk where recording_id = ? and start = ?', [
          id,
          at,
        ]);
        const plain = this.options.seal.open(id, chunkPlace(id, at), chunk?.body ?? Buffer.of());
        parts.push(plain);
        at += plain.length;
      }
      if (at > size) throw new CurfewError('RECORDING_UNREADABLE', { id });
      return Buffer.concat(parts);
    });
  }

  cut(id: string): Promise<void> {
    return this.queue.write(0, () => {
      const row = this.row(id);
      if (row.state !== 'running') throw new CurfewError('RECORDING_NOT_RUNNING', { id });
      this.run('update recording set cut_at_ms = coalesce(cut_at_ms, ?) where id = ?', [this.options.clock.now(), id]);
    });
  }

  toCut(deviceId: string): Promise<string[]> {
    return this.reading(() =>
      this.all<string>(
        `select id from recording
         where device_id = ? and open = 1 and state = 'running' and cut_at_ms is not null and deleted = 0 order by id`,
        [deviceId],
        true,
      ),
    );
  }

  openDevices(): Promise<string[]> {
    return this.reading(() => this.all<string>('select distinct device_id from recording where open = 1', [], true));
  }

  endOpenOf(deviceId: string): Promise<void> {
    return this.queue.write(0, () => {
      const rows = this.all<RecordingRow>('select * from recording where device_id = ? and open = 1', [deviceId]);
      for (const row of rows) {
        const { head, size } = openHeadOrBare(this.options.seal, row);
        const state = head.state === 'running' ? 'cut_short' : head.state;
        // What cannot be read stays as it is: to seal it anew would say that it can.
        if (head.mode !== null) this.put({ head: { ...head, state }, deviceId, size, totalSize: size });
      }
    });
  }

  openSessions(after: string, limit: number): Promise<string[]> {
    return this.reading(() =>
      this.all<string>(
        `select distinct session_id from recording where session_ended_at_ms is null and session_id > ?
         order by session_id limit ?`,
        [after, limit],
        true,
      ),
    );
  }

  noteEnded(ends: readonly SessionEnd[]): Promise<void> {
    return this.queue.write(0, () => {
      for (const { sessionId, endedAtMs, keepMs } of ends)
        this.run(
          `update recording set session_ended_at_ms = ?, keep_ms = ?
           where session_id = ? and session_ended_at_ms is null`,
          [endedAtMs, keepMs, sessionId],
        );
    });
  }

  due(now: number, defaultKeepMs: number): Promise<RecordingCount> {
    return this.reading(() => {
      const [found] = this.all<RecordingCount>(
        `select count(*) as recordings, coalesce(sum(size), 0) as bytes from recording where ${DUE}`,
        { now, keep: defaultKeepMs },
      );
      return found ?? { recordings: 0, bytes: 0 };
    });
  }

  async deleteDue(now: number, defaultKeepMs: number): Promise<RecordingCount> {
    const due = await this.due(now, defaultKeepMs);
    for (let left = due.recordings; left > 0; left -= MARKED_AT_ONCE)
      await this.queue.write(0, () => {
        const some = `select id from recording where ${DUE} limit ${MARKED_AT_ONCE}`;
        this.run(`update recording set deleted = 1 where id in (${some})`, { now, keep: defaultKeepMs });
      });
    await this.erase();
    return due;
  }

  onChange(id: string, listener: () => void): () => void {
    const listeners = this.listeners.get(id) ?? new Set();
    this.listeners.set(id, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.listeners.get(id) === listeners) this.listeners.delete(id);
    };
  }

  async close(): Promise<void> {
    await this.queue.idle();
    this.db.close();
  }

  /** Says so in the log once, until there is room again. */
  private hasNoRoom(): boolean {
    const isFull = this.options.isFull();
    if (isFull && !this.saidFull)
      this.options.logger.warn('recordings are not taken: the disk has too little room left');
    this.saidFull = isFull;
    return isFull;
  }

  private appended({ head, deviceId, offset, frames, totalSize }: RecordingPart): number {
    const { id, sessionId } = head;
    const [row] = this.all<RecordingRow & { deleted: number }>('select * from recording where id = ?', [id]);
    if (row !== undefined && (row.session_id !== sessionId || row.device_id !== deviceId))
      throw new CurfewError('RECORDING_INVALID', { id, problem: 'another session or device has the id' });
    if (row?.deleted === 1) throw new CurfewError('TOO_MANY_CALLS', { what: 'recordings at a time', wait: 'a while' });
    const before = row?.size ?? 0;
    if (offset > before) return before;
    const pieces = piecesBeyond(frames, before - offset, CHUNK_BYTES);
    if (pieces === undefined)
      throw new CurfewError('RECORDING_INVALID', { id, problem: 'its events are not those that are here already' });
    const size = Math.max(before, offset + frames.bytes.length);
    if (size > this.options.longest && size > before)
      throw new CurfewError('RECORDING_TOO_LONG', { id, limit: `${this.options.longest} bytes` });
    let at = before;
    for (const piece of pieces) {
      const body = this.options.seal.seal(id, chunkPlace(id, at), piece);
      this.run('insert into recording_chunk (recording_id, start, size, body) values (?, ?, ?, ?)', [
        id,
        at,
        piece.length,
        body,
      ]);
      at += piece.length;
    }
    // What is over does not run again: a part that came late knows less.
    const isStale = row !== undefined && row.state !== 'running' && head.state === 'running';
    const known = isStale ? openHead(this.options.seal, row).head : head;
    this.put({ head: known, deviceId, size, totalSize: Math.max(totalSize, row?.total_size ?? 0) });
    return size;
  }

  private put(recording: Parameters<typeof sealedRow>[1]): void {
    this.run(
      `insert into recording (id, session_id, device_id, started_at_ms, state, size, total_size, open, head)
       values (:id, :session_id, :device_id, :started_at_ms, :state, :size, :total_size, :open, :head)
       on conflict (id) do update set started_at_ms = :started_at_ms, state = :state, size = :size,
         total_size = :total_size, open = :open, head = :head`,
      sealedRow(this.options.seal, recording),
    );
    this.changed.add(recording.head.id);
  }

  /** Errors: RECORDING_NOT_FOUND. */
  private row(id: string): RecordingRow {
    const [row] = this.all<RecordingRow>('select * from recording where id = ? and deleted = 0', [id]);
    if (row === undefined) throw new CurfewError('RECORDING_NOT_FOUND', { given: id });
    return row;
  }

  /** Takes what is deleted out of the file, a bounded part in each turn. */
  private async erase(): Promise<void> {
    for (;;) {
      const [id] = await this.reading(() =>
        this.all<string>('select id from recording where deleted = 1 limit 1', [], true),
      );
      if (id === undefined) break;
      let isGone = false;
      while (!isGone) isGone = await this.queue.write(0, () => this.erasePart(id));
    }
    while ((await this.reading(() => this.freePages())) > 0) await nextTurn();
  }

  private erasePart(id: string): boolean {
    const chunks = this.all<{ start: number; size: number }>(
      'select start, size from recording_chunk where recording_id = ? order by start limit 1000',
      [id],
    );
    let [last, bytes] = [-1, 0];
    for (const { start, size } of chunks) {
      if (bytes > 0 && bytes + size > DELETED_AT_ONCE) break;
      [last, bytes] = [start, bytes + size];
    }
    this.run('delete from recording_chunk where recording_id = ? and start <= ?', [id, last]);
    if (chunks.length > 0) return false;
    this.run('delete from recording where id = ?', [id]);
    this.changed.add(id);
    return true;
  }

  /** Gives some room back to the file system; returns how many pages are still free. */
  private freePages(): number {
    this.db.pragma(`incremental_vacuum(${PAGES_AT_ONCE})`);
    this.copyLog();
    return Number(this.db.pragma('freelist_count', { simple: true }));
  }

  private afterCommit(): void {
    const ids = this.changed;
    this.changed = new Set();
    for (const id of ids) for (const listener of this.listeners.get(id) ?? []) listener();
    this.copyLog();
  }

  private copyLog(): void {
    try {
      copyLogIfLong(this.db);
    } catch (error) {
      // A full disk lets the log grow on; the next commit tries again.
      if (!isStorageFull(error)) this.failure(error);
    }
  }

  private reading<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        if (this.broken !== undefined) throw new CurfewError('RECORDINGS_UNAVAILABLE');
        resolve(work());
      } catch (error) {
        reject(this.failure(error));
      }
    });
  }

  /** After a disk that failed nothing is known, so nothing is said any more: until the next start. */
  private failure(error: unknown): CurfewError {
    if (error instanceof CurfewError) return error;
    if (isStorageFull(error)) return new CurfewError('RECORDINGS_FULL', {}, { cause: error });
    this.options.logger.error('the database of recordings has failed', { error });
    if (isStorageFailure(error)) this.broken = error;
    return new CurfewError('RECORDINGS_UNAVAILABLE', {}, { cause: error });
  }

  private run(text: string, values: readonly unknown[] | object): void {
    this.prepared(text, false).run(values);
  }

  private all<T>(text: string, values: readonly unknown[] | object, pluck = false): T[] {
    return this.prepared(text, pluck).all(values) as T[];
  }

  private prepared(text: string, pluck: boolean): Database.Statement {
    const known = this.statements.get(text) ?? this.db.prepare(text);
    if (!this.statements.has(text)) this.statements.set(text, pluck ? known.pluck() : known);
    return known;
  }
}
