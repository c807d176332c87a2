import { instantMs, type BootMs, type LeaseClaims } from '@curfew/shared';
import type { GrantOrder } from '../ports/privilege-host.js';

/** What a lease that has passed every check orders. */
export function orderOf(lease: LeaseClaims, deadline: BootMs): GrantOrder {
  const { sessionId, account, options, recording } = lease;
  return {
    sessionId,
    account,
    options,
    deadline,
    wallEnd: instantMs(lease.wallEndMs),
    keepProcesses: lease.keepProcesses === true,
    ...(recording !== undefined && { recording }),
    ...(lease.desktop === true && { desktop: true as const }),
  };
}
