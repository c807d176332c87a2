import { durationMs, MINUTE, SECOND, type Clock, type Logger, type Random } from '@curfew/shared';
import { recordingsDir, type AgentPaths } from './config/agent-paths.js';
import { SessionChanges } from './changes/session-changes.js';
import { Holder } from './grants/holder.js';
import { DeviceWatch } from './link/device-watch.js';
import { ProcessReports } from './link/process-reports.js';
import { RecordingUpload } from './link/recording-upload.js';
import { ServerLink } from './link/server-link.js';
import { LocalServer } from './local/local-server.js';
import { LocalService } from './local/local-service.js';
import { SessionNotices } from './notices/session-notices.js';
import type { Platform, PlatformProcesses } from './platform/platform.js';
import type { ChangeStore } from './ports/change-store.js';
import type { IdentityStore } from './ports/device-identity.js';
import type { UpdateSettings } from './config/update-settings.js';
import { SpoolFolder } from './recordings/spool-folder.js';
import { SpoolReader } from './recordings/spool-reader.js';
import type { ServiceManager } from './ports/service-manager.js';
import type { StateFile } from './ports/state-file.js';
import { UninstallRule } from './state/uninstall-rule.js';
import { openUpdater } from './updates/open-updater.js';
import type { Updater } from './updates/updater.js';
import { VERSION } from './version.js';

export interface DaemonParts {
  readonly platform: Platform;
  readonly paths: AgentPaths;
  readonly identities: IdentityStore;
  readonly stateFile: StateFile;
  readonly changeStore: ChangeStore;
  /** undefined: no release of the agent is taken from the server. */
  readonly updates: UpdateSettings | undefined;
  /** Ends the daemon and this process in an orderly way, to be started again. */
  readonly restart: () => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A daemon that runs. */
export interface RunningDaemon {
  /** Stops. Rights stay, under their deadlines and removers; with `endSessions` nothing of Curfew stays in sudo. */
  stop(options: { readonly endSessions: boolean }): Promise<void>;
  /** Compares every deadline now: time may have passed unseen. */
  look(): void;
}

const RENEWAL_CHECK = durationMs(10 * MINUTE);
const FOLLOWER_CHECK = durationMs(10 * SECOND);
/** How often it is looked whether the follower that is wanted has begun. */
const FOLLOWER_CHANGE = durationMs(SECOND);
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
    deviceId: identity?.deviceId,
  });
  await holder.recover();
  const endSigns = giveSignsOfLife(platform.service, clock);
  holder.start();
  if (identity === undefined) {
    await holder.recovered;
    holder.stop();
    endSigns();
    if ('error' in loaded) throw loaded.error;
    return undefined;
  }
  const watch = new DeviceWatch({ ...platform, agentVersion: VERSION, clock, logger });
  await watch.prepare();
  const changes = new SessionChanges({ holder, power: platform.power, store: parts.changeStore, clock, logger });
  await changes.begin();
  const spool = new SpoolReader(new SpoolFolder(recordingsDir(paths)));
  const link: ServerLink = new ServerLink(identity, {
    ...parts,
    holder,
    changes,
    bootId,
    report: async () => ({ ...(await watch.report()), update: updater?.status }),
    cut: async (recordingIds) => platform.processes?.folder.setCuts(recordingIds),
    offered: (statement) => updater?.offer(statement),
    uninstallNeedsCode: keepUninstallRule(parts),
  });
  const updater = await beginUpdates(parts, link, spool);
  watch.onChange(() => link.sendReport());
  watch.start();
  const service = new LocalService({ holder, link, accounts: platform.accounts, clock, watch });
  const local = new LocalServer({ service, door: platform.door, clock, logger, random });
  await local.listen(paths.socket);
  const notices = new SessionNotices({ holder, messenger: platform.messenger, clock, logger });
  notices.start();
  const { processes } = platform;
  const endFollowing = processes && followProcesses(processes, clock, logger);
  const endFindings = processes && bringFindings(processes, link, spool, parts);
  void link.run();
  const endRenewals = renewNowAndThen(link, clock);
  logger.info('agent ready', { deviceId: identity.deviceId, version: VERSION });
  return {
    look: () => void holder.tick(),
    stop: async ({ endSessions }) => {
      endSigns();
      endFollowing?.();
      endRenewals();
      updater?.stop();
      watch.stop();
      const ids = new Set(holder.snapshot.grants.map(({ sessionId }) => sessionId));
      holder.stop();
      if (endSessions) await holder.endAll('ended_by_user', '', 'the agent was stopped');
      // Before anything that could take long: whoever stops the agent may have little patience.
      if (endSessions) await platform.host.uninstall();
      if (endSessions) await link.untilTold(ids, TELLING_TIMEOUT);
      notices.stop();
      changes.stop();
      endFindings?.();
      link.stop();
      await local.close();
    },
  };
}

/** Renews the certificate when it is time. The returned function ends that. */
function renewNowAndThen(link: ServerLink, clock: Clock): () => void {
  let cancel = (): void => undefined;
  const again = (): void => {
    cancel = clock.after(RENEWAL_CHECK, () => {
      void link.renewInBackground().finally(again);
    });
  };
  again();
  return () => {
    cancel();
  };
}

/** Writes down whether the agent is taken off this device only with an operator's code. */
function keepUninstallRule({ paths, logger }: DaemonParts): (needsCode: boolean) => void {
  const rule = new UninstallRule(paths.stateDir);
  return (needsCode) => {
    void rule.set(needsCode).catch((error: unknown) => {
      logger.error('it could not be written down whether uninstalling needs a code', { error });
    });
  };
}

/** Takes releases of the agent from the server, where that is wanted. An agent that cannot goes on as it is. */
async function beginUpdates(parts: DaemonParts, link: ServerLink, spool: SpoolReader): Promise<Updater | undefined> {
  const { updates, platform, restart, clock, logger } = parts;
  if (updates === undefined) return undefined;
  const { processes } = platform;
  const updater = openUpdater(updates, { link, spool, processes, restart, clock, logger });
  try {
    await updater.begin();
    if (updater.status === undefined) logger.info('no release key is installed, so updates come by package only');
    return updater;
  } catch (error) {
    logger.error('no update can be taken', { error });
    return undefined;
  }
}

/** Brings the server what the follower has found and recorded. The returned function ends that. */
function bringFindings(
  { folder }: PlatformProcesses,
  link: ServerLink,
  spool: SpoolReader,
  parts: DaemonParts,
): () => void {
  const { clock, logger } = parts;
  const reports = new ProcessReports({ folder, link, clock, logger });
  reports.start();
  const recordings = new RecordingUpload({ spool, link, clock, logger });
  recordings.start();
  return () => {
    reports.stop();
    recordings.stop();
  };
}

/**
 * Sees again and again that the follower runs, and that one of another version makes way when it records nothing. A session
 * does not wait for it. The returned function ends that.
 */
function followProcesses({ folder, ensureFollower }: PlatformProcesses, clock: Clock, logger: Logger): () => void {
  let cancel = (): void => undefined;
  let ended = false;
  let round = 0;
  const again = async (): Promise<void> => {
    const follower = await folder.follower();
    const isOther = follower !== undefined && follower !== VERSION;
    try {
      await folder.prepare();
      await folder.setWanted(VERSION);
      // One that is to make way says so when it has. One that could not say anything any more is not waited for.
      if (!isOther || round % 10 === 9) await ensureFollower();
    } catch (error) {
      logger.error('what sessions run is not followed', { error });
    }
    round += 1;
    if (ended) return;
    cancel = clock.after(follower === VERSION ? FOLLOWER_CHECK : FOLLOWER_CHANGE, () => void again());
  };
  void again();
  return () => {
    ended = true;
    cancel();
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
