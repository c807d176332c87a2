import { durationMs, MINUTE, SECOND, type Clock, type Logger, type Random } from '@curfew/shared';
import type { AgentPaths } from './config/agent-paths.js';
import { Holder } from './grants/holder.js';
import { DeviceWatch } from './link/device-watch.js';
import { ServerLink } from './link/server-link.js';
import { LocalServer } from './local/local-server.js';
import { LocalService } from './local/local-service.js';
import { SessionNotices } from './notices/session-notices.js';
import type { Platform } from './platform/platform.js';
import type { IdentityStore } from './ports/device-identity.js';
import type { ServiceManager } from './ports/service-manager.js';
import type { StateFile } from './ports/state-file.js';
import { VERSION } from './version.js';

export interface DaemonParts {
  readonly platform: Platform;
  readonly paths: AgentPaths;
  readonly identities: IdentityStore;
  readonly stateFile: StateFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A daemon that runs. */
export interface RunningDaemon {
  /** Stops. Rights stay, under their deadlines and removers; with `endSessions` nothing of Curfew stays in sudo. */
  stop(options: { readonly endSessions: boolean }): Promise<void>;
}

const RENEWAL_CHECK = durationMs(10 * MINUTE);
/** How long the server may take to take note of the last ends before the agent stops. */
const TELLING_TIMEOUT = durationMs(2 * SECOND);

/** Cleans up first, then holds rights, then links. Errors: DEVICE_UNKNOWN when the machine is not enrolled. */
export async function startDaemon(parts: DaemonParts): Promise<RunningDaemon | undefined> {
  const { platform, clock, random, logger, paths } = parts;
  // Who this device is matters for what it may be given; what is there is cleaned up first, whatever is wrong with that.
  const loaded = await parts.identities.load().then(
    (identity) => ({ identity }),
    (error: unknown) => ({ identity: undefined, error }),
  );
  const { identity } = loaded;
  const bootId = platform.machine.bootId();
  const holder = new Holder({
    host: platform.host,
    stateFile: parts.stateFile,
    accounts: platform.accounts,
    clock,
    logger,
    bootId,
    deviceKeyHash: identity?.keyHash ?? '',
  });
  await holder.recover();
  const endSigns = giveSignsOfLife(platform.service, clock);
  holder.start();
  if (identity === undefined) {
    holder.stop();
    endSigns();
    if ('error' in loaded) throw loaded.error;
    return undefined;
  }
  const watch = new DeviceWatch({ ...platform, agentVersion: VERSION, clock, logger });
  await watch.prepare();
  const link = new ServerLink(identity, {
    holder,
    identities: parts.identities,
    clock,
    random,
    logger,
    bootId,
    report: () => watch.report(),
  });
  watch.onChange(() => {
    link.sendReport();
  });
  watch.start();
  const service = new LocalService({ holder, link, accounts: platform.accounts, clock, watch });
  const local = new LocalServer({ service, peerOf: platform.peerOf, clock, logger, random });
  await local.listen(paths.socket);
  const notices = new SessionNotices({ holder, messenger: platform.messenger, clock, logger });
  notices.start();
  void link.run();
  let cancelRenewal = (): void => undefined;
  const renewLater = (): void => {
    cancelRenewal = clock.after(RENEWAL_CHECK, () => {
      void link.renewInBackground().finally(renewLater);
    });
  };
  renewLater();
  logger.info('agent ready', { deviceId: identity.deviceId, version: VERSION });
  return {
    stop: async ({ endSessions }) => {
      endSigns();
      cancelRenewal();
      watch.stop();
      const ids = new Set(holder.snapshot.grants.map(({ sessionId }) => sessionId));
      if (endSessions) await holder.endAll('ended_by_user', '', 'the agent was stopped');
      holder.stop();
      // Before anything that could take long: whoever stops the agent may have little patience.
      if (endSessions) await platform.host.uninstall();
      if (endSessions) await link.untilTold(ids, TELLING_TIMEOUT);
      notices.stop();
      link.stop();
      await local.close(paths.socket);
    },
  };
}

/** Says that the agent is ready, and from then on that it goes on. The returned function ends that. */
function giveSignsOfLife(service: ServiceManager, clock: Clock): () => void {
  service.ready();
  const { patience } = service;
  if (patience === undefined) return () => undefined;
  let cancel = (): void => undefined;
  const again = (): void => {
    service.alive();
    cancel = clock.after(durationMs(patience / 4), again);
  };
  again();
  return () => {
    cancel();
  };
}
