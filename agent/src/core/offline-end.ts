import { bootMs, instantMs, type BootMs, type InstantMs } from '@curfew/shared';
import type { GrantOrder } from '../ports/privilege-host.js';
import type { GrantRecord } from '../ports/state-file.js';

/**
 * When a right ends because the link is down, on this boot's clock; undefined when it does not end for that. A link that
 * was never seen counts as lost at the boot: what cannot be known ends the right.
 */
export const offlineEnd = (
  { offlineEndAfterMs }: Pick<GrantRecord, 'offlineEndAfterMs'>,
  linkSeen: BootMs | undefined,
): BootMs | undefined =>
  offlineEndAfterMs === undefined ? undefined : bootMs((linkSeen ?? bootMs(0)) + offlineEndAfterMs);

/** The order with the moment of `offlineEnd` as its end, if that comes first: what the independent remover is armed for. */
export function boundedByLink<Order extends Pick<GrantOrder, 'deadline' | 'wallEnd'>>(
  order: Order & Pick<GrantRecord, 'offlineEndAfterMs'>,
  linkSeen: BootMs | undefined,
  bootNow: BootMs,
  now: InstantMs,
): Order {
  const end = offlineEnd(order, linkSeen);
  if (end === undefined) return order;
  return {
    ...order,
    deadline: bootMs(Math.min(order.deadline, end)),
    wallEnd: instantMs(Math.min(order.wallEnd, now + Math.max(0, end - bootNow))),
  };
}
