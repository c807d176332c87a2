import type { Config } from '../config/config.js';
import { SilentDevices } from '../devices/silent-devices.js';
import type { Ledger } from '../ledger/ledger.js';
import type { LinkHub } from '../link/link-hub.js';
import type { Notifications } from '../notifiers/start-notifications.js';
import type { OpenReleases } from '../releases/open-releases.js';
import type { Requests } from '../requests/requests.js';
import type { SignInParts } from '../sign-in/sign-in-parts.js';
import { confirmFormer } from '../sessions/confirm-former.js';
import type { OpenTimedAccess } from '../timed-access/open-timed-access.js';
import type { UseCaseContext } from '../use-case-context.js';

export interface EveryMinuteParts {
  readonly context: UseCaseContext;
  readonly config: Pick<Config, 'connectionAgeMs'>;
  readonly ledger: Pick<Ledger, 'leads'>;
  readonly requests: Requests;
  readonly signIn: SignInParts;
  readonly hub: LinkHub;
  readonly notifications: Notifications;
  readonly timedAccess: OpenTimedAccess;
  readonly recorded: { sweep(): Promise<void> };
  readonly updates: OpenReleases;
}

/** What is done every minute. */
export async function sweepEveryMinute(parts: EveryMinuteParts): Promise<void> {
  const { context, config, ledger, requests, signIn, hub, notifications, timedAccess, recorded, updates } = parts;
  if (config.connectionAgeMs !== undefined) hub.spread(config.connectionAgeMs);
  await hub.pushCheckpoints();
  await recorded.sweep();
  // Of several servers on one ledger, one does the rest.
  if (!ledger.leads) return;
  await requests.sweep();
  await new SilentDevices(context).sweep(hub.lostSince);
  await confirmFormer(context);
  await updates.rollouts.sweep();
  await signIn.signIns.sweep();
  // Not waited for: a provider that is slow must not keep the other sweeps waiting.
  void signIn.oidc?.signIn.recheck();
  await notifications.notifier.sweep();
  await timedAccess.work.sweep();
}
