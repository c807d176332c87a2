import type { Config } from '../config/config.js';
import { durationMs, SECOND, type Clock, type Logger } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import type { ServerKeys } from '../pki/server-keys.js';
import type { LinkHub } from './link-hub.js';

/** How soon it looks again when the ledger could not be read: what is signed with former keys may be refused. */
const AGAIN = durationMs(SECOND);

/** Takes in the lease keys that another server on the ledger has rotated, and tells the devices that are linked here, until it is stopped. */
export function followLeaseKeys({
  config,
  ledger,
  keys,
  hub,
  clock,
  logger,
}: {
  readonly config: Pick<Config, 'ledger'>;
  readonly ledger: Ledger;
  readonly keys: ServerKeys;
  readonly hub: LinkHub;
  readonly clock: Clock;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  // There is no other server on an embedded ledger.
  if (config.ledger.url === '') return { stop: () => Promise.resolve() };
  let isStopped = false;
  const look = async (): Promise<void> => {
    try {
      if (!isStopped && (await keys.lease.refresh())) hub.leaseKeysRotated();
    } catch (error) {
      logger.error('new lease keys could not be read, will try again', { error });
      if (!isStopped) clock.after(AGAIN, () => void look());
    }
  };
  const unsubscribe = ledger.onChange((changes) => {
    if (changes.some(({ kind }) => kind === 'ledger')) void look();
  });
  // They may have been rotated since they were read for the first time.
  void look();
  return {
    stop: async () => {
      isStopped = true;
      unsubscribe();
    },
  };
}
