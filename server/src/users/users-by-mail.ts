import type { Selectable } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';

/** The users that a mail address belongs to, compared without regard to case: those who have it, or are called by it. */
export const usersByMail = (db: LedgerReader, mail: string): Promise<Selectable<Tables['app_user']>[]> =>
  db
    .selectFrom('app_user')
    .selectAll()
    .where((eb) =>
      eb.or([eb('name_key', '=', mail.toLowerCase()), eb(eb.fn('lower', ['email']), '=', mail.toLowerCase())]),
    )
    .execute();
