import { CurfewError } from '@curfew/shared';
import type { LedgerReader } from '../ledger/ledger.js';
import { METHOD_ACCESS } from '../rpc/method-access.js';
import type { Caller } from './caller.js';
import { isRole, lesserRole, roleContains, type Role } from './role.js';

/**
 * The caller as the ledger has them now: a call waits for its turn after it was let in, and what disables a user passes it by.
 * With a method, who has lost the role for it is refused. Errors: USER_DISABLED, METHOD_NOT_ALLOWED.
 */
export async function presentCaller(db: LedgerReader, caller: Caller, method?: string): Promise<Caller> {
  const user = await db
    .selectFrom('app_user')
    .select(['role', 'disabled'])
    .where('id', '=', caller.userId)
    .executeTakeFirstOrThrow();
  if (user.disabled === 1) throw new CurfewError('USER_DISABLED', { user: caller.userName });
  const role = lesserRole(caller.role, isRole(user.role) ? user.role : 'user');
  const needed = method === undefined ? role : (METHOD_ACCESS.get(method) as Role);
  if (!roleContains(role, needed)) throw new CurfewError('METHOD_NOT_ALLOWED', { role, method: method ?? '', needed });
  return { ...caller, role };
}
