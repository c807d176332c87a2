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
import { actorName, requestIdOf, type AuditEntry } from '../audit/audit-entry.js';
import type { LedgerReader } from './ledger.js';
import { readMeta } from './ledger-meta.js';
import type { Tables } from './tables.js';

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

const callOf = ({ actor }: AuditEntry) => {
  const requestId = requestIdOf(actor);
  return requestId === undefined ? {} : { requestId };
};

/** What is to be stored of events that were appended. */
export interface AuditRows {
  readonly events: readonly Tables['audit_event'][];
  /** Every subtree that they have completed. */
  readonly nodes: readonly StoredNode[];
}

/** Appends to the audit log inside a transaction; signs one checkpoint for all of it. */
export class AuditWriter {
  private frontier = MerkleFrontier.empty();

  constructor(
    private readonly key: NoteSigningKey,
    private readonly insert: (rows: AuditRows) => void | Promise<void>,
  ) {}

  /** Appends, and signs the tree as it stands then. Call once in a transaction, last before the commit. */
  async append(db: LedgerReader, entries: readonly AuditEntry[], now: InstantMs): Promise<void> {
    await this.catchUp(db);
    const events: Tables['audit_event'][] = [];
    const nodes: StoredNode[] = [];
    for (const entry of entries) {
      const idx = this.frontier.size;
      const [actor, data] = [actorName(entry.actor), entry.data ?? {}];
      const { type, subject } = entry;
      const record = Buffer.from(
        canonicalJson({ index: idx, time: now, type, actor, subject, data, ...callOf(entry) }),
      );
      events.push({ idx, at_ms: now, type, actor, subject, record });
      nodes.push(...this.frontier.append(leafHash(record)));
    }
    const inserted = this.insert({ events, nodes });
    if (inserted !== undefined) await inserted;
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
