import { CurfewError, formatDuration } from '@curfew/shared';
import type { LedgerReader } from '../ledger/ledger.js';
import { readMeta } from '../ledger/ledger-meta.js';
import type { UserRecord } from '../users/users.js';

/** Refuses every grant while the ledger is known to be older than its devices. Errors: LEDGER_ROLLED_BACK. */
export async function assertGranting(db: LedgerReader): Promise<void> {
  if ((await readMeta(db)).rolledBack !== '') throw new CurfewError('LEDGER_ROLLED_BACK');
}

/** Errors: DURATION_TOO_LONG. */
export function assertWithinLimit(field: string, durationMs: number, limitMs: number): void {
  if (durationMs > limitMs)
    throw new CurfewError('DURATION_TOO_LONG', {
      field,
      given: formatDuration(durationMs),
      limit: formatDuration(limitMs),
    });
}

/** Errors: USER_DISABLED. */
export function assertEnabled(user: UserRecord): void {
  if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: user.name });
}
