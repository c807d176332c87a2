import { durationMs, MINUTE, type Clock, type Logger, type Random } from '@curfew/shared';
import type { AgentPaths } from './config/agent-paths.js';
import { Holder } from './grants/holder.js';
import { readFacts, readReport } from './link/device-report.js';
import { ServerLink } from './link/server-link.js';
import { LocalServer } from './local/local-server.js';
import { LocalService } from './local/local-service.js';
import type { Platform } from './platform/choose-platform.js';
import type { IdentityStore } from './ports/device-identity.js';
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

/** Cleans up first, then holds rights, then links. Errors: DEVICE_UNKNOWN when the machine is not enrolled. */
export async function startDaemon(parts: DaemonParts): Promise<RunningDaemon | undefined> {
  const { platform, clock, random, logger, paths } = parts;
  const identity = await parts.identities.load();
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
  holder.start();
  if (identity === undefined) {
    holder.stop();
    return undefined;
  }
  const capabilities = await platform.host.prepare();
  for (const finding of capabilities.findings) logger.warn('finding', { finding });
  const facts = await readFacts(platform.machine, capabilities, VERSION);
  const report = () => readReport(facts, platform.accounts, capabilities.findings);
  const link = new ServerLink(identity, {
    holder,
    identities: parts.identities,
    clock,
    random,
    logger,
    bootId,
    report,
  });
  const service = new LocalService({
    holder,
    link,
    accounts: platform.accounts,
    clock,
    findings: () => capabilities.findings,
  });
  const local = new LocalServer(service, platform.peerOf, logger, random);
  await local.listen(paths.socket);
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
      cancelRenewal();
      if (endSessions) await holder.endAll('ended_by_user', '', 'the agent was stopped');
      holder.stop();
      link.stop();
      await local.close(paths.socket);
      if (endSessions) await platform.host.uninstall();
    },
  };
}
