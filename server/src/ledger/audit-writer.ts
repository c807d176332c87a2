import {
  canonicalJson,
  checkpointOrigin,
  leafHash,
  MerkleFrontier,
  signCheckpoint,
  type Hash,
  type InstantMs,
  type NoteSigningKey,
  type StoredNode,
} from '@curfew/shared';
import { sql } from 'kysely';
import { actorName, type AuditEntry } from '../audit/audit-entry.js';
import type { LedgerReader } from './ledger.js';
import { readMeta } from './ledger-meta.js';

/** SQLite takes at most 32,766 variables in a statement. */
const ROWS_PER_INSERT = 1_000;

/** Reads a stored node of the audit tree. */
export async function readAuditNode(db: LedgerReader, place: { level: number; index: number }): Promise<Hash> {
  const row = await db
    .selectFrom('audit_node')
    .select('hash')
    .where('level', '=', place.level)
    .where('idx', '=', place.index)
    .executeTakeFirst();
  if (row === undefined) throw new Error(`the audit tree lacks its node ${place.level}/${place.index}`);
  return row.hash;
}

/** How many events the log has. */
async function auditSize(db: LedgerReader): Promise<number> {
  const { size } = await db
    .selectFrom('audit_event')
    .select(sql<number>`coalesce(max(idx) + 1, 0)`.as('size'))
    .executeTakeFirstOrThrow();
  return size;
}

/** Appends to the audit log inside a transaction; signs one checkpoint for all of it. */
export class AuditWriter {
  private frontier = MerkleFrontier.empty();

  constructor(private readonly key: NoteSigningKey) {}

  /** Appends, and signs the tree as it stands then. Call once in a transaction, last before the commit. */
  async append(db: LedgerReader, entries: readonly AuditEntry[], now: InstantMs): Promise<void> {
    await this.catchUp(db);
    const events = [];
    const nodes: StoredNode[] = [];
    for (const entry of entries) {
      const index = this.frontier.size;
      const [actor, data] = [actorName(entry.actor), entry.data ?? {}];
      const record = Buffer.from(
        canonicalJson({ index, time: now, type: entry.type, actor, subject: entry.subject, data }),
      );
      nodes.push(...this.frontier.append(leafHash(record)));
      events.push({ idx: index, at_ms: now, type: entry.type, actor, subject: entry.subject, record });
    }
    for (let at = 0; at < events.length; at += ROWS_PER_INSERT)
      await db
        .insertInto('audit_event')
        .values(events.slice(at, at + ROWS_PER_INSERT))
        .execute();
    const rows = nodes.map(({ level, index, hash }) => ({ level, idx: index, hash }));
    for (let at = 0; at < rows.length; at += ROWS_PER_INSERT)
      await db
        .insertInto('audit_node')
        .values(rows.slice(at, at + ROWS_PER_INSERT))
        .execute();
    await this.seal(db);
  }

  /** Takes in what another process has appended. */
  private async catchUp(db: LedgerReader): Promise<void> {
    const size = await auditSize(db);
    if (size !== this.frontier.size)
      this.frontier = await MerkleFrontier.load(size, (place) => readAuditNode(db, place));
  }

  private async seal(db: LedgerReader): Promise<void> {
    const meta = await readMeta(db);
    const checkpoint = {
      origin: checkpointOrigin(meta.id, meta.incarnation),
      size: this.frontier.size,
      root: this.frontier.root(),
    };
    await db
      .insertInto('audit_checkpoint')
      .values({ size: checkpoint.size, origin: checkpoint.origin, note: signCheckpoint(checkpoint, this.key) })
      .execute();
  }

  /** Forgets what was appended since the last commit. */
  reset(): void {
    this.frontier = MerkleFrontier.empty();
  }
}
