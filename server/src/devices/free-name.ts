import { IS_NOT_REMOVED } from '../ledger/conditions.js';
import type { LedgerReader } from '../ledger/ledger.js';

/** The host name, or the host name and a number when it is taken. */
export async function freeName(db: LedgerReader, hostname: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? hostname : `${hostname}-${number}`;
    const taken = await db
      .selectFrom('device')
      .select('id')
      .where('name', '=', name)
      .where(IS_NOT_REMOVED)
      .executeTakeFirst();
    if (taken === undefined) return name;
  }
}
