import type { Random } from '@curfew/shared';
import type { LedgerReader } from './ledger.js';

const KEYS = {
  id: 'ledger_id',
  incarnation: 'incarnation',
  rolledBack: 'rolled_back',
  cursorKey: 'cursor_key',
  leaseKeysVersion: 'lease_keys_version',
} as const;

/** What the ledger knows of itself. */
export interface LedgerMeta {
  /** Names this ledger for ever: lower-case hex. */
  readonly id: string;
  /** Grows with every recovery from a backup. */
  readonly incarnation: number;
  /** Why nothing is granted since an agent has seen a newer ledger; '' when all is well. */
  readonly rolledBack: string;
  /** The key that page tokens are authenticated with. */
  readonly cursorKey: string;
  /** The version of the lease keys whose making is in the audit log. */
  readonly leaseKeysVersion: number;
}

export async function readMeta(db: LedgerReader): Promise<LedgerMeta> {
  const rows = await db.selectFrom('ledger_meta').selectAll().execute();
  const value = (key: string): string => rows.find((row) => row.key === key)?.value ?? '';
  return {
    id: value(KEYS.id),
    incarnation: Number(value(KEYS.incarnation)),
    rolledBack: value(KEYS.rolledBack),
    cursorKey: value(KEYS.cursorKey),
    leaseKeysVersion: Number(value(KEYS.leaseKeysVersion)),
  };
}

export async function writeMeta(db: LedgerReader, meta: Partial<LedgerMeta>): Promise<void> {
  for (const [name, value] of Object.entries(meta) as [keyof LedgerMeta, string | number][])
    await db
      .insertInto('ledger_meta')
      .values({ key: KEYS[name], value: String(value) })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: String(value) }))
      .execute();
}

/** Gives a ledger that is new its name, once for ever. */
export async function nameLedger(db: LedgerReader, random: Random): Promise<void> {
  const meta = await readMeta(db);
  if (meta.id !== '') return;
  const hex = (size: number): string => random.bytes(size).toString('hex');
  await writeMeta(db, { id: hex(8), incarnation: 1, rolledBack: '', cursorKey: hex(32) });
}
