import type { Logger } from '@curfew/shared';
import type { Config } from '../config/config.js';
import { SilentDevices } from '../devices/silent-devices.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LinkHub } from '../link/link-hub.js';
import type { Notifier } from '../notifiers/notifier.js';
import type { LeaseKeys } from '../pki/lease-keys.js';
import { recordLeaseKeys } from '../pki/record-lease-keys.js';
import type { Rollouts } from '../releases/rollouts.js';
import type { Requests } from '../requests/requests.js';
import { confirmFormer } from '../sessions/confirm-former.js';
import type { OidcSignIn } from '../sign-in/oidc/oidc-sign-in.js';
import type { SignIns } from '../sign-in/sign-ins.js';
import type { TimedAccess } from '../timed-access/timed-access.js';
import type { UseCaseContext } from '../use-case-context.js';

export interface EveryMinuteParts {
  readonly context: UseCaseContext;
  readonly config: Pick<Config, 'connectionAgeMs'>;
  readonly ledger: Pick<Ledger, 'leads'>;
  readonly keys: { readonly lease: Pick<LeaseKeys, 'set'> };
  readonly requests: Pick<Requests, 'sweep'>;
  readonly signIn: {
    readonly signIns: Pick<SignIns, 'sweep'>;
    readonly oidc: { readonly signIn: Pick<OidcSignIn, 'recheck'> } | undefined;
  };
  readonly hub: Pick<LinkHub, 'spread' | 'pushCheckpoints' | 'lostSince'>;
  readonly notifications: { readonly notifier: Pick<Notifier, 'sweep'> };
  readonly timedAccess: { readonly work: Pick<TimedAccess, 'sweep'> };
  readonly recorded: { sweep(): Promise<void> };
  readonly updates: { readonly rollouts: Pick<Rollouts, 'sweep'> };
  readonly logger: Logger;
}

/**
 * What is done every minute. A part that fails keeps no other from being done; it is logged, and the sweep as a whole
 * fails when all are done.
 */
export async function sweepEveryMinute(parts: EveryMinuteParts): Promise<void> {
  const { context, config, ledger, requests, signIn, hub, notifications, timedAccess, recorded, updates } = parts;
  const failed: unknown[] = [];
  const all = async (work: Readonly<Record<string, () => unknown>>): Promise<void> => {
    for (const [part, run] of Object.entries(work))
      try {
        await run();
      } catch (error) {
        parts.logger.error('a part of the sweep failed, will run again', { sweep: 'minute', part, error });
        failed.push(error);
      }
  };
  await all({
    links: () => config.connectionAgeMs !== undefined && hub.spread(config.connectionAgeMs),
    checkpoints: () => hub.pushCheckpoints(),
    recordings: () => recorded.sweep(),
    leaseKeys: () => recordLeaseKeys(context.ledger, parts.keys.lease),
  });
  // Of several servers on one ledger, one does the rest.
  if (ledger.leads)
    await all({
      requests: () => requests.sweep(),
      silentDevices: () => new SilentDevices(context).sweep(hub.lostSince),
      formerInstallations: () => confirmFormer(context),
      rollouts: () => updates.rollouts.sweep(),
      signIns: () => signIn.signIns.sweep(),
      // Not waited for: a provider that is slow must not keep the other sweeps waiting.
      oidc: () => void signIn.oidc?.signIn.recheck(),
      notifications: () => notifications.notifier.sweep(),
      timedAccess: () => timedAccess.work.sweep(),
    });
  if (failed.length > 0) throw new AggregateError(failed, `${failed.length} parts of the sweep failed`);
}
