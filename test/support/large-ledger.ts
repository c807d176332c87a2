import { systemRandom, newId } from '@curfew/shared';
import Database from 'better-sqlite3';

/** How much there is in a large ledger. */
export interface LedgerSize {
  readonly users: number;
  readonly devices: number;
  /** Sessions that are active, spread over users and devices. */
  readonly live: number;
  /** Sessions that have ended. */
  readonly ended: number;
}

const [HOUR, ACCOUNTS_PER_DEVICE] = [3_600_000, 16];
const FACTS = {
  hostname: '',
  platform: 'PLATFORM_LINUX',
  osRelease: 'Debian GNU/Linux 12',
  kernel: '6.1',
  architecture: 'x64',
  agentVersion: '0.1.0',
  sudoVersion: 'Sudo version 1.9.13p3',
  sudoEnforcesEnd: true,
  independentRemover: 'systemd-timer',
  hardwareId: '',
  model: '',
  grantKinds: [],
};
const REASONS = ['update the web server', 'renew a certificate', 'look at a full disk', 'install a driver', 'restart'];
const OPTIONS = JSON.stringify({ kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' });

/**
 * Fills the ledger of a server that does not run, with what a large place has after a time. Everything goes through
 * the schema's own rules, except that no audit events are written. Devices are called host-0001 and so on.
 */
export function fillLedger(file: string, size: LedgerSize, now: number): void {
  const db = new Database(file);
  try {
    db.pragma('synchronous = OFF');
    db.pragma('foreign_keys = ON');
    db.transaction(() => {
      insertAll(db, size, now);
    })();
    db.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    db.close();
  }
}

const number = (value: number): string => String(value).padStart(4, '0');

function insertAll(db: Database.Database, size: LedgerSize, now: number): void {
  const insert = (table: string, row: Readonly<Record<string, unknown>>): void => {
    insertRow(db, table, row);
  };
  const people = Array.from({ length: size.users }, (_, index) => {
    const [id, name] = [newId('user', systemRandom), `person-${number(index)}`];
    insert('app_user', {
      id,
      name,
      name_key: name,
      display_name: name,
      role: 'user',
      disabled: 0,
      created_at_ms: now,
    });
    return { id, name };
  });
  const devices = Array.from({ length: size.devices }, (_, index) => {
    const [id, name] = [newId('device', systemRandom), `host-${number(index)}`];
    insert('device', {
      id,
      name,
      key_hash: id,
      state: 'enrolled',
      facts: JSON.stringify({ ...FACTS, hostname: name }),
      findings: '[]',
      enrolled_at_ms: now - index,
      last_seen_at_ms: now - index,
      generation: 1,
      applied_generation: 1,
      epoch: ACCOUNTS_PER_DEVICE,
      revoked_epoch: 0,
    });
    return { id };
  });
  for (let index = 0; index < size.live + size.ended; index += 1) {
    const live = index < size.live;
    // One live session for each account of a device.
    const [device, user] = [devices[index % devices.length]!, people[index % people.length]!];
    const uid = 1000 + Math.floor(index / devices.length);
    const id = newId('session', systemRandom);
    const created = now - (live ? index % HOUR : HOUR + (index % 700) * HOUR);
    const states = live ? ['starting', 'active'] : ['starting', 'active', 'ending', 'ended'];
    for (const [at, state] of states.entries())
      insert('session_transition', {
        session_id: id,
        seq: at + 1,
        prior_seq: at,
        prior_state: at === 0 ? 'none' : states[at - 1],
        state,
        at_ms: created,
      });
    insert('session', {
      id,
      kind: 'device_admin',
      state: states.at(-1),
      seq: states.length,
      user_id: user.id,
      device_id: device.id,
      uid,
      account: JSON.stringify({ name: user.name, uid, fingerprint: 'f'.repeat(64) }),
      options: OPTIONS,
      reason: `${REASONS[index % REASONS.length]} ${index}`,
      granted_by: 'owner',
      epoch: 1 + Math.floor(index / devices.length),
      duration_ms: 8 * HOUR,
      created_at_ms: created,
      active_at_ms: created,
      expires_at_ms: created + 8 * HOUR,
      ...(live ? {} : { ending_at_ms: created + HOUR, ended_at_ms: created + HOUR, end_reason: 'expired' }),
      ended_by: '',
      end_detail: '',
      revision: 0,
    });
  }
}

/** Inserts a row. Statements are kept for the next one of the same kind. */
export function insertRow(db: Database.Database, table: string, row: Readonly<Record<string, unknown>>): void {
  prepared(db, table, Object.keys(row)).run(Object.values(row));
}

const statements = new WeakMap<Database.Database, Map<string, Database.Statement>>();

function prepared(db: Database.Database, table: string, columns: readonly string[]): Database.Statement {
  const known = statements.get(db) ?? new Map<string, Database.Statement>();
  statements.set(db, known);
  const text = `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
  const statement = known.get(text) ?? db.prepare(text);
  known.set(text, statement);
  return statement;
}
