import type { Clock, Logger } from '@curfew/shared';
import type { UpdateSettings } from '../config/update-settings.js';
import type { ServerLink } from '../link/server-link.js';
import type { PlatformProcesses } from '../platform/platform.js';
import type { SpoolReader } from '../recordings/spool-reader.js';
import { VERSION } from '../version.js';
import { readReleaseKeys } from './release-keys.js';
import { tryProgram } from './try-program.js';
import { Updater } from './updater.js';
import { VersionsFolder } from './versions-folder.js';

export interface OpenUpdaterParts {
  readonly link: ServerLink;
  readonly spool: Pick<SpoolReader, 'list'>;
  readonly processes: PlatformProcesses | undefined;
  readonly restart: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Puts together what takes releases from the server, on this machine. */
export function openUpdater(settings: UpdateSettings, parts: OpenUpdaterParts): Updater {
  const { link, spool, processes, restart, clock, logger } = parts;
  return new Updater({
    versions: new VersionsFolder(settings.versionsDir),
    running: { version: VERSION, platform: process.platform, arch: process.arch },
    keys: () => readReleaseKeys(settings.keyFiles, logger),
    link,
    tryProgram,
    isRecording: async () => (await spool.list()).some(({ head }) => head.state === 'running'),
    othersRunning: async () => [(await processes?.folder.follower()) ?? ''],
    restart,
    changed: () => link.sendReport(),
    proof: settings.proof,
    clock,
    logger,
  });
}
