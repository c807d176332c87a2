import {
  checkpointIncarnation,
  checkpointOrigin,
  consistencyProof,
  noteVerificationKey,
  openCheckpoint,
  verifyConsistency,
  type NoteSigningKey,
} from '@curfew/shared';
import type { Selectable } from 'kysely';
import { readAuditNode } from '../ledger/audit-writer.js';
import type { Ledger } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import { pageSize, readPageToken, writePageToken } from '../ledger/paging.js';
import { newestCheckpoint } from '../ledger/newest-checkpoint.js';
import type { Tables } from '../ledger/tables.js';

export type AuditRecord = Selectable<Tables['audit_event']>;

/** A checkpoint with the proof that an older tree is a prefix of it. */
export interface CheckpointWithProof {
  readonly note: string;
  readonly proof: readonly Buffer[];
}

const EXPORT_BATCH = 500;

/** Reads the audit log. Nothing here can change it. */
export class AuditLog {
  /** The verification key, C2SP signed-note form. */
  readonly verificationKey: string;

  constructor(
    private readonly ledger: Ledger,
    key: NoteSigningKey,
  ) {
    this.verificationKey = noteVerificationKey(key);
  }

  /** A page of events, newest first. Errors: PAGE_TOKEN_INVALID. */
  list(input: {
    readonly typePrefix: string;
    readonly actor: string;
    readonly subject: string;
    readonly pageSize: number;
    readonly pageToken: string;
  }): Promise<{
    events: AuditRecord[];
    nextPageToken: string;
  }> {
    const size = pageSize(input.pageSize);
    return this.ledger.read(async (db) => {
      const { cursorKey } = await readMeta(db);
      const scope = `audit ${JSON.stringify([input.typePrefix, input.actor, input.subject])}`;
      const cursor = readPageToken(cursorKey, scope, input.pageToken);
      let query = db
        .selectFrom('audit_event')
        .selectAll()
        .orderBy('idx', 'desc')
        .limit(size + 1);
      if (input.typePrefix !== '')
        query = query.where('type', '>=', input.typePrefix).where('type', '<', `${input.typePrefix}{`);
      if (input.actor !== '') query = query.where('actor', '=', input.actor);
      if (input.subject !== '') query = query.where('subject', '=', input.subject);
      if (cursor !== undefined) query = query.where('idx', '<', Number(cursor.value));
      const rows = await query.execute();
      const last = rows.length > size ? rows[size - 1] : undefined;
      return {
        events: rows.slice(0, size),
        nextPageToken: last === undefined ? '' : writePageToken(cursorKey, scope, { value: last.idx, id: '' }),
      };
    });
  }

  /** The newest checkpoint, a signed note; '' in a log without events. */
  checkpoint(): Promise<string> {
    return this.ledger.read(async (db) => (await newestCheckpoint(db))?.note ?? '');
  }

  /**
   * Whether a checkpoint is one that this log has signed and does not have: proof that the log was rolled back. Only this
   * incarnation is looked at; what an earlier one had was given up on purpose.
   */
  hasForgotten(note: string): Promise<boolean> {
    const opened = openCheckpoint(note, this.verificationKey);
    if (opened === undefined) return Promise.resolve(false);
    return this.ledger.read(async (db) => {
      const meta = await readMeta(db);
      if ((checkpointIncarnation(opened) ?? 0) < meta.incarnation) return false;
      const known = await db
        .selectFrom('audit_checkpoint')
        .select('note')
        .where('size', '=', opened.size)
        .where('origin', '=', opened.origin)
        .executeTakeFirst();
      return known?.note !== note;
    });
  }

  /** Whether a checkpoint that this log has signed is not in it any more, or is not what the log has grown from. */
  async isContradictedBy(note: string): Promise<boolean> {
    if (await this.hasForgotten(note)) return true;
    const old = openCheckpoint(note, this.verificationKey);
    const newest = await this.update(note);
    const now = openCheckpoint(newest.note, this.verificationKey);
    // An earlier incarnation's log was given up on purpose.
    if (old === undefined || old.origin !== now?.origin) return false;
    return !verifyConsistency(old, now, newest.proof);
  }

  /** Every event that the newest checkpoint covers, in batches and in order, then that checkpoint. */
  async *export(): AsyncGenerator<{ readonly events: readonly AuditRecord[] } | { readonly checkpoint: string }> {
    const checkpoint = await this.ledger.read((db) => newestCheckpoint(db));
    const size = checkpoint?.size ?? 0;
    for (let from = 0; from < size; from += EXPORT_BATCH) {
      const to = Math.min(size, from + EXPORT_BATCH);
      const events = await this.ledger.read((db) =>
        db
          .selectFrom('audit_event')
          .selectAll()
          .where('idx', '>=', from)
          .where('idx', '<', to)
          .orderBy('idx')
          .execute(),
      );
      yield { events };
    }
    yield { checkpoint: checkpoint?.note ?? '' };
  }

  /**
   * The newest checkpoint for a witness that keeps `known`, with the proof that the log only grew. Where the witness
   * knows more than this log, or another log, there is no proof, and the witness will refuse.
   */
  update(known: string): Promise<CheckpointWithProof> {
    return this.ledger.read(async (db) => {
      const newest = await newestCheckpoint(db);
      if (newest === undefined) return { note: '', proof: [] };
      const meta = await readMeta(db);
      const old = openCheckpoint(known, this.verificationKey);
      const comparable = old?.origin === checkpointOrigin(meta.id, meta.incarnation) && old.size <= newest.size;
      const proof = comparable
        ? await consistencyProof(old.size, newest.size, (place) => readAuditNode(db, place))
        : [];
      return { note: newest.note, proof };
    });
  }
}
