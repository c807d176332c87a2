import { CurfewError, type BootMs, type Clock, type LeaseClaims, type Logger } from '@curfew/shared';
import { replaceGrant, withoutGrant } from '../core/state-changes.js';
import { keyOf } from '../ports/account-key.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { GrantRecord } from '../ports/state-file.js';
import type { KeptState } from './kept-state.js';
import type { OfflineWatch } from './offline-watch.js';
import { orderOf } from './order-of.js';

/** What making a right needs of the holder. */
export interface MakingParts {
  readonly host: PrivilegeHost;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly kept: KeptState;
  readonly offline: OfflineWatch;
  /** Called when the intent, and with it the floor, is on disk. */
  readonly noted: () => void;
  readonly removeForever: (remove: () => Promise<void>) => Promise<void>;
  readonly refused: (code: string, detail: string) => Promise<void>;
  /** Called when the right is held. */
  readonly made: () => void;
}

/** Intent recorded, remover armed, right made and read back, recorded as held. `earlier` is the right that it replaces. */
export async function makeRight(
  { host, clock, logger, kept, offline, noted, removeForever, refused, made }: MakingParts,
  lease: LeaseClaims,
  deadline: BootMs,
  earlier: GrantRecord | undefined,
): Promise<void> {
  const order = orderOf(lease, deadline);
  const rule = offline.ruleOf(lease);
  const [madeAtMs, undoChanges] = [earlier?.madeAtMs ?? 0, lease.undoChanges === true];
  const intended: GrantRecord = { ...order, ...rule, undoChanges, epoch: lease.epoch, phase: 'intended', madeAtMs };
  kept.update({ grants: [...kept.state.grants.filter((grant) => grant !== earlier), intended] });
  try {
    await kept.saveOrThrow();
    noted();
    await host.arm(offline.bounded({ ...order, ...rule }));
    await host.grant(order);
    if (!kept.state.grants.includes(intended)) {
      // Its end was decided while it was being made.
      await removeForever(() => host.remove(order));
      return;
    }
    const held: GrantRecord = { ...intended, phase: 'held', madeAtMs: clock.now() };
    await kept.saveFirst((state) => replaceGrant(state, intended, held));
    logger.info('right made', { sessionId: lease.sessionId, account: keyOf(lease.account) });
    made();
  } catch (error) {
    logger.warn('right not made', { sessionId: lease.sessionId, error });
    const code = error instanceof CurfewError ? error.code : 'INTERNAL';
    const detail = error instanceof Error ? error.message : String(error);
    await removeForever(() => host.remove(order));
    kept.update(withoutGrant(kept.state, lease.sessionId));
    await refused(code, detail);
    await host.disarm(lease.sessionId).catch(() => undefined);
  }
}
