import { CurfewError } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import { findId } from '../ledger/find-by-id.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { cutPage, pageSize, readPageToken } from '../ledger/paging.js';
import { RECORDING_MODES, type RecordingMode } from '../policies/policy-spec.js';
import { recordingOf } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { framesOf, type FrameProblem } from './frames.js';
import type { RecordingHead, StoredRecording } from './recording.js';
import type { RecordingStore } from './recording-store.js';

/** A recording as it is shown. */
export interface ShownRecording {
  readonly stored: StoredRecording;
  /** When it is deleted; null while its session runs. */
  readonly deleteAtMs: number | null;
}

export interface RecordingPage {
  readonly recordings: ShownRecording[];
  readonly nextPageToken: string;
  readonly total: number;
}

/** A part of a recording as a device sends it. */
export interface SentPart {
  readonly head: RecordingHead;
  readonly offset: number;
  readonly bytes: Buffer;
  readonly totalSize: number;
  /** What is wrong with an event of a session that is recorded so. */
  readonly problemOf: (mode: RecordingMode) => FrameProblem;
}

/** What is recorded of sessions: taken from devices, shown to operators. */
export class Recordings {
  constructor(
    private readonly context: UseCaseContext,
    private readonly store: RecordingStore,
    /** How long recordings are kept after their session's end where its policy does not say. */
    private readonly keepMs: number,
  ) {}

  /**
   * Takes a part in. Gives how many bytes of events there are. Errors: SESSION_NOT_FOUND, DEVICE_IDENTITY_CONFLICT,
   * RECORDING_INVALID, and those of the store's `append`.
   */
  async append(device: DeviceRow, { head, offset, bytes, totalSize, problemOf }: SentPart): Promise<number> {
    // While two agents use one identity, what one of them says proves nothing.
    if (device.state === 'identity_conflict')
      throw new CurfewError('DEVICE_IDENTITY_CONFLICT', { device: device.name });
    const { id, sessionId } = head;
    const session = await this.context.ledger.read((db) =>
      db
        .selectFrom('session')
        .select(['record_mode', 'record_required', 'record_keep_ms'])
        .where('id', '=', sessionId)
        .where('device_id', '=', device.id)
        .executeTakeFirst(),
    );
    if (session === undefined) throw new CurfewError('SESSION_NOT_FOUND', { given: sessionId });
    const rule = recordingOf(session);
    if (rule === null) throw new CurfewError('RECORDING_INVALID', { id, problem: 'its session is not recorded' });
    const mode = head.mode ?? rule.mode;
    if (RECORDING_MODES.indexOf(mode) > RECORDING_MODES.indexOf(rule.mode))
      throw new CurfewError('RECORDING_INVALID', {
        id,
        problem: 'more was recorded than the policy of its session says',
      });
    const frames = await framesOf(bytes, problemOf(rule.mode));
    if (typeof frames === 'string') throw new CurfewError('RECORDING_INVALID', { id, problem: frames });
    return this.store.append({ head: { ...head, mode }, deviceId: device.id, offset, frames, totalSize });
  }

  /** A page of a session's recordings, first call first. Errors: SESSION_NOT_FOUND, ID_AMBIGUOUS, PAGE_TOKEN_INVALID. */
  async list(given: string, asked: { readonly pageSize: number; readonly pageToken: string }): Promise<RecordingPage> {
    const { id, cursorKey, end } = await this.context.ledger.read(async (db) => {
      const session = await findId(db, 'session', 'session', given, 'SESSION_NOT_FOUND');
      return { id: session, cursorKey: (await readMeta(db)).cursorKey, end: await this.deleteTime(db, session) };
    });
    const [scope, size] = [`recordings ${id}`, pageSize(asked.pageSize)];
    const cursor = readPageToken(cursorKey, scope, asked.pageToken);
    const after = cursor === undefined ? undefined : { startedAtMs: Number(cursor.value), id: cursor.id };
    const found = await this.store.list(id, after, size + 1);
    const rows = found.map((stored) => ({ stored, id: stored.head.id, sort_key: stored.head.startedAtMs }));
    const { shown, nextPageToken } = cutPage(rows, size, cursorKey, scope);
    const recordings = shown.map(({ stored }) => ({ stored, deleteAtMs: end }));
    return { recordings, nextPageToken, total: await this.store.count(id) };
  }

  /**
   * Begins a look at a recording, which is in the audit log before anything is shown. Errors: RECORDING_NOT_FOUND,
   * ID_AMBIGUOUS, RECORDING_UNREADABLE.
   */
  async watch(caller: Caller, given: string): Promise<ShownRecording> {
    const id = await this.store.findId(given);
    const shown = await this.get(id);
    const data = { session: shown.stored.head.sessionId };
    await this.context.ledger.write((tx) => {
      tx.audit({ type: 'recording.watched', actor: callerActor(caller), subject: id, data });
      return Promise.resolve();
    });
    return shown;
  }

  /** Errors: RECORDING_NOT_FOUND, RECORDING_UNREADABLE. */
  async get(id: string): Promise<ShownRecording> {
    const stored = await this.store.get(id);
    const deleteAtMs = await this.context.ledger.read((db) => this.deleteTime(db, stored.head.sessionId));
    return { stored, deleteAtMs };
  }

  /** Events from where the last read has ended; none at the end. Errors: RECORDING_NOT_FOUND, RECORDING_UNREADABLE. */
  read(id: string, offset: number): Promise<Buffer> {
    return this.store.read(id, offset);
  }

  onChange(id: string, listener: () => void): () => void {
    return this.store.onChange(id, listener);
  }

  /**
   * Wishes a command to end. The same once more is the same wish. Errors: RECORDING_NOT_FOUND, ID_AMBIGUOUS,
   * RECORDING_NOT_RUNNING.
   */
  async cut(caller: Caller, given: string): Promise<ShownRecording> {
    const id = await this.store.findId(given);
    const shown = await this.get(id);
    const { head, isToEnd } = shown.stored;
    if (head.state !== 'running') throw new CurfewError('RECORDING_NOT_RUNNING', { id });
    if (isToEnd) return shown;
    await this.context.ledger.write((tx) => {
      const data = { session: head.sessionId };
      tx.audit({ type: 'recording.cut', actor: callerActor(caller), subject: id, data });
      return Promise.resolve();
    });
    await this.store.cut(id);
    return shown;
  }

  /** Which commands of a device are to end. None while that cannot be read: nothing else waits for it. */
  async toCut(deviceId: string): Promise<string[]> {
    try {
      return await this.store.toCut(deviceId);
    } catch (error) {
      if (error instanceof CurfewError) return [];
      throw error;
    }
  }

  private async deleteTime(db: LedgerReader, sessionId: string): Promise<number | null> {
    const session = await db
      .selectFrom('session')
      .select(['ended_at_ms', 'record_keep_ms'])
      .where('id', '=', sessionId)
      .executeTakeFirst();
    const ended = session?.ended_at_ms ?? null;
    return ended === null ? null : ended + (session?.record_keep_ms ?? this.keepMs);
  }
}
