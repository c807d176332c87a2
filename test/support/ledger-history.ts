import {
  canonicalJson,
  checkpointOrigin,
  leafHash,
  MerkleFrontier,
  newId,
  signCheckpoint,
  systemRandom,
  type JsonValue,
} from '@curfew/shared';
import Database from 'better-sqlite3';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.js';
import { insertRow } from './large-ledger.js';

/** A session every so often before the one that is copied. */
const HOUR = 3_600_000;

type Row = Readonly<Record<string, unknown>>;

/** A session that is over, with everything that it has left in the ledger. */
interface Life {
  readonly sessionId: string;
  readonly requestId: string | null;
  readonly rows: readonly (readonly [table: string, row: Row])[];
  readonly events: readonly AuditRow[];
}

interface AuditRow {
  readonly at_ms: number;
  readonly type: string;
  readonly actor: string;
  readonly subject: string;
  readonly record: Buffer;
}

/** In the order in which the rows of one life are inserted: a state is the last move, and moves come first. */
const TABLES = [
  ['access_request_transition', 'request_id'],
  ['access_request', 'id'],
  ['request_decision', 'request_id'],
  ['session_transition', 'session_id'],
  ['session', 'id'],
] as const;

/**
 * Gives a server that does not run a longer past: every session that is over, with its request, its moves and its audit
 * events, is there so many times more, an hour earlier each time. All of it goes through the schema's own rules, and the
 * audit tree is whole, under a checkpoint that the server's key has signed. Gives how many sessions came.
 */
export async function addHistory(plane: ControlPlane, times: number): Promise<number> {
  const key = createPrivateKey(readFileSync(join(plane.folder, 'pki/audit.key')));
  const db = new Database(plane.ledgerFile);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('foreign_keys = ON');
    // KiB, below zero: new ids go everywhere into the indexes.
    db.pragma('cache_size = -400000');
    const lives = livesOf(db);
    const audit = await AuditEnd.of(db);
    // One transaction for each of the earlier hours: one for all would be as large as the past.
    for (let copy = 1; copy <= times; copy += 1)
      db.transaction(() => {
        for (const life of lives) insertLife(db, audit, life, copy);
        audit.seal({ name: 'curfew-audit', privateKey: key });
      })();
    ageDevices(db, times);
    db.pragma('wal_checkpoint(TRUNCATE)');
    return lives.length * times;
  } finally {
    db.close();
  }
}

function livesOf(db: Database.Database): Life[] {
  const select = TABLES.map(
    ([table, column]) => [table, db.prepare(`select * from ${table} where ${column} = ?`)] as const,
  );
  const events = db.prepare(
    'select at_ms, type, actor, subject, record from audit_event where subject = ? order by idx',
  );
  const over = db.prepare("select id, request_id from session where state = 'ended'").all() as {
    id: string;
    request_id: string | null;
  }[];
  return over.map(({ id, request_id: requestId }) => {
    const rows = select.flatMap(([table, statement]) =>
      statement.all(table.startsWith('session') ? id : requestId).map((row) => [table, row as Row] as const),
    );
    const own = [requestId, id].flatMap((subject) => (subject === null ? [] : (events.all(subject) as AuditRow[])));
    return { sessionId: id, requestId, rows, events: own };
  });
}

/** One more session like a former one, so many hours before it. */
function insertLife(db: Database.Database, audit: AuditEnd, life: Life, hours: number): void {
  const ids = new Map([[life.sessionId, newId('session', systemRandom)]]);
  if (life.requestId !== null) ids.set(life.requestId, newId('request', systemRandom));
  const renamed = (text: string): string => {
    let result = text;
    for (const [from, to] of ids) result = result.replaceAll(from, to);
    return result;
  };
  const changed = (column: string, value: unknown): unknown => {
    if (typeof value === 'number' && /_(at|by)_ms$/.test(column)) return value - hours * HOUR;
    return typeof value === 'string' && column.endsWith('id') ? (ids.get(value) ?? value) : value;
  };
  for (const [table, row] of life.rows) {
    const copy = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, changed(column, value)]));
    // A device has counted on since.
    const later = table === 'session' ? { epoch: Number(row['epoch']) + hours } : {};
    insertRow(db, table, { ...copy, ...later });
  }
  for (const event of life.events)
    audit.append(db, { ...event, at_ms: event.at_ms - hours * HOUR, subject: renamed(event.subject) }, renamed);
}

/** The devices have been given as much as their past says. */
function ageDevices(db: Database.Database, times: number): void {
  db.prepare(
    `update device set epoch = epoch + @times, revoked_epoch = revoked_epoch + @times,
       generation = generation + 2 * @times, applied_generation = applied_generation + 2 * @times
     where id in (select device_id from session)`,
  ).run({ times });
}

/** The end of an audit log, where more is written. */
class AuditEnd {
  private constructor(
    private readonly db: Database.Database,
    private readonly frontier: MerkleFrontier,
    private readonly origin: string,
  ) {}

  static async of(db: Database.Database): Promise<AuditEnd> {
    const { size } = db.prepare('select max(idx) + 1 as size from audit_event').get() as { size: number };
    const node = db.prepare('select hash from audit_node where level = ? and idx = ?').pluck();
    const meta = db.prepare('select value from ledger_meta where key = ?').pluck();
    const frontier = await MerkleFrontier.load(size, ({ level, index }) => node.get(level, index) as Buffer);
    return new AuditEnd(
      db,
      frontier,
      checkpointOrigin(meta.get('ledger_id') as string, Number(meta.get('incarnation'))),
    );
  }

  append(db: Database.Database, event: AuditRow, renamed: (text: string) => string): void {
    const idx = this.frontier.size;
    const told = JSON.parse(renamed(event.record.toString('utf8'))) as Record<string, JsonValue>;
    const record = Buffer.from(canonicalJson({ ...told, index: idx, time: event.at_ms }));
    insertRow(db, 'audit_event', { idx, ...event, record });
    for (const { level, index, hash } of this.frontier.append(leafHash(record)))
      insertRow(db, 'audit_node', { level, idx: index, hash });
  }

  seal(key: Parameters<typeof signCheckpoint>[1]): void {
    const { size } = this.frontier;
    const note = signCheckpoint({ origin: this.origin, size, root: this.frontier.root() }, key);
    insertRow(this.db, 'audit_checkpoint', { size, origin: this.origin, note });
  }
}
