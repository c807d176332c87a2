import type { LedgerReader } from './ledger.js';

/** The newest checkpoint of the audit log; undefined in a log without events. */
export const newestCheckpoint = (db: LedgerReader): Promise<{ size: number; note: string } | undefined> =>
  db
    .selectFrom('audit_checkpoint')
    .select(['size', 'note'])
    .orderBy('size', 'desc')
    .orderBy('origin', 'desc')
    .limit(1)
    .executeTakeFirst();
