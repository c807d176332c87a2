import { ExportVerifier, noteVerificationKey } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The size at which the server copies its log into the database, and what a page takes in the log. */
const [LOG_LIMIT, FRAME] = [4_120_000, 4_120];

/** What a device tells of a session in its own time: no move of the session. */
const NO_MOVES = `('session.processes', 'session.changes_found')`;

/** What the files of a ledger have after its name: the database, its log, the log's index. */
export const LEDGER_PARTS = ['', '-wal', '-shm'] as const;

/** Reads a ledger beside its server, on a connection of its own that is closed at once. */
export function readLedger<T>(file: string, read: (db: Database.Database) => T): T {
  const db = new Database(file, { readonly: true, fileMustExist: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

/** Lets the log grow until it is `room` pages short of being copied into the database. */
export function fillLog(file: string, room: number): void {
  const frames = Math.floor((LOG_LIMIT - statSync(`${file}-wal`).size) / FRAME) - room;
  const db = new Database(file);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('wal_autocheckpoint = 0');
    const touch = db.prepare('update storage_probe set at = at + 1');
    for (let made = 0; made < frames; made++) touch.run();
  } finally {
    db.close();
  }
}

export interface SessionRow {
  readonly id: string;
  readonly state: string;
  readonly seq: number;
  readonly device_id: string;
  readonly epoch: number;
  readonly ending_generation: number | null;
  readonly end_reason: string | null;
  readonly processes: string | null | undefined;
  readonly revision: number | undefined;
}

interface DeviceRow {
  readonly id: string;
  readonly generation: number;
  readonly applied_generation: number;
  readonly epoch: number;
  readonly revoked_epoch: number;
  readonly last_seen_at_ms: number | null;
}

/** What the ledger says, taken in one read. */
export interface LedgerView {
  readonly sessions: readonly SessionRow[];
  readonly devices: readonly DeviceRow[];
  /** The states that each session has gone through. */
  readonly histories: ReadonlyMap<string, readonly string[]>;
  /** The types of the audit events about each subject, in order, but for what devices tell in their own time. */
  readonly audited: ReadonlyMap<string, readonly string[]>;
  readonly rolledBack: string;
}

/** The newest sessions' states, oldest first, and the devices: what a test waits for. */
export function ledgerNow(file: string, newest: number): { readonly states: string[]; readonly devices: DeviceRow[] } {
  return readLedger(file, (db) => ({
    states: db
      .prepare('select state from session order by created_at_ms desc, id desc limit ?')
      .pluck()
      .all(newest) as string[],
    devices: db.prepare('select * from device order by name').all() as DeviceRow[],
  }));
}

const group = (rows: readonly { subject: string; value: string }[]): Map<string, string[]> => {
  const groups = new Map<string, string[]>();
  for (const { subject, value } of rows) groups.set(subject, [...(groups.get(subject) ?? []), value]);
  return groups;
};

/** Reads the ledger, and checks that it agrees with itself: rows, histories, audit log, counters of the devices. */
export function agreeingLedger(file: string): LedgerView {
  return readLedger(file, (db) => db.transaction(() => agreeingView(db, file))());
}

function agreeingView(db: Database.Database, file: string): LedgerView {
  const all = <Row>(text: string): Row[] => db.prepare(text).all() as Row[];
  const view: LedgerView = {
    sessions: all<SessionRow>('select * from session order by created_at_ms, id').map(withoutReports),
    devices: all('select * from device order by name'),
    histories: group(all('select session_id as subject, state as value from session_transition order by seq')),
    audited: group(all(`select subject, type as value from audit_event where type not in ${NO_MOVES} order by idx`)),
    rolledBack: db.prepare(`select value from ledger_meta where key = 'rolled_back'`).pluck().get() as string,
  };
  assert.equal(db.pragma('integrity_check', { simple: true }), 'ok');
  assert.deepEqual(db.pragma('foreign_key_check'), []);
  for (const session of view.sessions) checkSession(session, view);
  for (const device of view.devices) checkDevice(device, view);
  checkAuditLog(db, file);
  return view;
}

/** A session but for what its device tells of it in its own time, and for the revision that this raises. */
const withoutReports = (row: SessionRow): SessionRow => ({ ...row, processes: undefined, revision: undefined });

/** Each move of a session has its row of history and its one audit event, and the session is where the last one led. */
function checkSession(session: SessionRow, view: LedgerView): void {
  const history = view.histories.get(session.id) ?? [];
  assert.equal(history.at(-1), session.state, `${session.id} is where its history led`);
  assert.equal(history.length, session.seq);
  const types = { ending: 'session.revoked' } as Record<string, string>;
  const expected = history.map((state) => types[state] ?? `session.${state}`);
  assert.deepEqual(view.audited.get(session.id), expected, `one audit event for each move of ${session.id}`);
  assert.equal(session.end_reason, history.includes('ending') ? 'revoked' : null);
}

/** Each start and each decided end has raised the generation once, and what was revoked is below the floor. */
function checkDevice(device: DeviceRow, { sessions }: LedgerView): void {
  const own = sessions.filter((session) => session.device_id === device.id);
  const ended = own.filter((session) => session.ending_generation !== null);
  const decisions = new Set(ended.map((session) => session.ending_generation));
  assert.equal(device.generation, 1 + own.length + decisions.size, 'the generation counts starts and decided ends');
  assert.equal(device.revoked_epoch, Math.max(0, ...ended.map(({ epoch }) => epoch)), 'the floor is what was revoked');
  for (const live of own.filter((session) => session.ending_generation === null))
    assert.ok(live.epoch > device.revoked_epoch, 'what is live is above the floor');
  assert.ok(device.epoch >= Math.max(0, ...own.map(({ epoch }) => epoch)));
  assert.ok(device.applied_generation <= device.generation);
}

/** The newest checkpoint covers exactly the events that there are. */
function checkAuditLog(db: Database.Database, file: string): void {
  const verifier = new ExportVerifier();
  const events = db.prepare('select idx, record from audit_event order by idx').all();
  for (const { idx, record } of events as { idx: number; record: Buffer }[]) verifier.add({ index: idx, record });
  const note = db.prepare('select note from audit_checkpoint order by size desc limit 1').pluck().get() as string;
  const privateKey = createPrivateKey(readFileSync(join(dirname(file), 'pki/audit.key')));
  const verdict = verifier.finish(note, noteVerificationKey({ name: 'curfew-audit', privateKey }));
  assert.deepEqual(verdict.ok ? '' : verdict.problem, '');
}

/** Changes a ledger behind its server's back: what an attacker with the file can do. */
export function rewriteLedger(file: string, change: (db: Database.Database) => void): void {
  const db = new Database(file);
  try {
    change(db);
  } finally {
    db.close();
  }
}
