import { UpdateState, UpdateStatus } from '@curfew/proto';
import {
  CurfewError,
  durationMs,
  isNewerVersion,
  readRelease,
  SECOND,
  sleep,
  verifyRelease,
  type Clock,
  type DurationMs,
  type Logger,
  type ReleaseStatement,
} from '@curfew/shared';
import { rm } from 'node:fs/promises';
import type { ServerLink } from '../link/server-link.js';
import { downloadRelease } from './release-download.js';
import { unpackArchive } from './unpack-archive.js';
import type { VersionsFolder } from './versions-folder.js';

/** Which program this is. */
interface RunningProgram {
  readonly version: string;
  /** As Node names them. */
  readonly platform: string;
  readonly arch: string;
}

export interface UpdaterParts {
  readonly versions: VersionsFolder;
  readonly running: RunningProgram;
  /** The keys of which one must have signed a release. Empty: none is taken, and the server is not told that any could be. */
  readonly keys: () => Promise<Parameters<typeof verifyRelease>[1]>;
  readonly link: Pick<ServerLink, 'call' | 'linked'>;
  /** Has the program in a folder check itself. Errors: RELEASE_CHECK_FAILED. */
  readonly tryProgram: (folder: string, version: string) => Promise<void>;
  /** Whether something is being recorded, which is not to be disturbed. */
  readonly isRecording: () => Promise<boolean>;
  /** Versions of programs that run apart from the agent, and whose files must stay. */
  readonly othersRunning: () => Promise<readonly string[]>;
  /** Ends this process in an orderly way; what started it starts the version that is chosen then. */
  readonly restart: () => void;
  /** Tells the server how far the device has come. */
  readonly changed: () => void;
  /** How long this version must have been linked before it is known to do its work. */
  readonly proof: DurationMs;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often it is looked whether the link is up, and whether recordings are over. */
const LOOK = durationMs(SECOND);
/** How long the server has to hear that a version is about to be tried. */
const TELLING = durationMs(SECOND);

/**
 * Takes releases that the server offers: fetches, checks and unpacks them, has the launcher start them on trial, and ends the
 * trial once this version has been linked for a while. Nothing that the server says makes it run anything: only what a release
 * key has signed, for this kind of machine, and newer than what runs. Rights are not its business; they outlive a restart.
 */
export class Updater {
  private current: UpdateStatus | undefined;
  private offered = '';
  private work: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(private readonly parts: UpdaterParts) {}

  /** What the server is to show; undefined where no release can be taken. */
  get status(): UpdateStatus | undefined {
    return this.current;
  }

  /** Looks at what the last start has made of an update. Call first and once. */
  async begin(): Promise<void> {
    const { versions, running, keys, logger } = this.parts;
    await versions.prepare();
    if ((await keys()).length === 0) return;
    const [chosen, proved, givenUp] = [await versions.chosen(), await versions.proved(), await versions.givenUp()];
    const { version } = running;
    const wasGivenUp = givenUp !== undefined && isNewerVersion(givenUp.version, version);
    if (version === chosen && version !== proved) {
      this.set({ state: UpdateState.TRYING, version });
      void this.proveItself();
    } else if (wasGivenUp) {
      logger.warn('a release was given up', { version: givenUp.version, why: givenUp.why });
      this.set({ state: UpdateState.ROLLED_BACK, version: givenUp.version, detail: givenUp.why });
    } else this.set(version === proved ? { state: UpdateState.INSTALLED, version } : {});
    if (version !== chosen || version === proved) await this.tidy(chosen, proved);
  }

  /** What the server offers now, with every desired state; '' for nothing. */
  offer(statement: string): void {
    if (statement === this.offered || this.stopped) return;
    this.offered = statement;
    // What is taken now ends by itself when something else is offered.
    this.work = this.work.then(() => this.take(statement));
  }

  stop(): void {
    this.stopped = true;
  }

  private isOffered(statement: string): boolean {
    return this.offered === statement && !this.stopped;
  }

  private async take(statement: string): Promise<void> {
    if (statement === '' || !this.isOffered(statement) || this.current === undefined) return;
    let version = '';
    try {
      ({ version } = readRelease(statement));
      await this.takeRelease(await this.checked(statement), statement);
    } catch (error) {
      const { code, message } = error instanceof CurfewError ? error : new CurfewError('INTERNAL', { requestId: '-' });
      this.parts.logger.error('a release was not taken', { version, code, error });
      await this.parts.versions.discard().catch(() => undefined);
      this.set({ state: UpdateState.REFUSED, version, code, detail: message });
    }
  }

  /** The statement, if this device may take what it is about. Errors: RELEASE_…. */
  private async checked(statement: string): Promise<ReleaseStatement> {
    const { keys, running } = this.parts;
    const release = await verifyRelease(statement, await keys());
    const { version, platform, arch } = release;
    if (platform !== running.platform || arch !== running.arch)
      throw new CurfewError('RELEASE_WRONG_PLATFORM', { platform, arch });
    if (isNewerVersion(running.version, version))
      throw new CurfewError('RELEASE_NOT_NEWER', { version, running: running.version });
    return release;
  }

  private async takeRelease(release: ReleaseStatement, statement: string): Promise<void> {
    const { versions, running, tryProgram, logger } = this.parts;
    const { version, sha256 } = release;
    if (!isNewerVersion(version, running.version)) return;
    const givenUp = await versions.givenUp();
    if (givenUp !== undefined && !isNewerVersion(version, givenUp.version)) {
      this.set({ state: UpdateState.ROLLED_BACK, version, detail: givenUp.why });
      return;
    }
    this.set({ state: UpdateState.FETCHING, version });
    await versions.prepare();
    await this.tidy(await versions.chosen(), await versions.proved(), sha256);
    const archive = versions.archive(sha256);
    if (!(await this.fetched(release, archive, statement))) return;
    await unpackArchive(archive, versions.unpacking);
    await tryProgram(versions.unpacking, version);
    await versions.settle(version);
    await rm(archive, { force: true });
    logger.info('a release is ready', { version });
    await this.switchTo(version, statement);
  }

  /** An archive that is not what was signed is no good beginning for the next attempt. */
  private async fetched(release: ReleaseStatement, archive: string, statement: string): Promise<boolean> {
    const { link, clock } = this.parts;
    try {
      return await downloadRelease(release, archive, { link, clock, isWanted: () => this.isOffered(statement) });
    } catch (error) {
      await rm(archive, { force: true });
      throw error;
    }
  }

  /** Not while a command is recorded, and not without a link: the new version shows by that that it works. */
  private async switchTo(version: string, statement: string): Promise<void> {
    const { versions, link, isRecording, restart, clock } = this.parts;
    while ((await isRecording()) || !link.linked) {
      this.set({ state: UpdateState.WAITING, version });
      await sleep(clock, LOOK);
      if (!this.isOffered(statement)) return;
    }
    this.set({ state: UpdateState.TRYING, version });
    await sleep(clock, TELLING);
    if (!this.isOffered(statement)) return;
    await versions.choose(version);
    restart();
  }

  /** This version has done its work once it has been linked for so long, without a break. */
  private async proveItself(): Promise<void> {
    const { versions, running, link, clock, proof, logger } = this.parts;
    const { version } = running;
    for (let since = clock.bootTime(); clock.bootTime() - since < proof;) {
      await sleep(clock, LOOK);
      if (this.stopped) return;
      if (!link.linked) since = clock.bootTime();
    }
    try {
      await versions.prove(version);
      logger.info('the release does its work, and stays', { version });
      this.set({ state: UpdateState.INSTALLED, version });
      await this.tidy(version, version);
    } catch (error) {
      logger.error('it could not be written down that the release works', { version, error });
    }
  }

  private async tidy(chosen: string, proved: string, sha256 = ''): Promise<void> {
    const { versions, running, othersRunning } = this.parts;
    await versions.keepOnly(new Set([chosen, proved, running.version, ...(await othersRunning())]), sha256);
  }

  private set(status: Partial<UpdateStatus>): void {
    const next = UpdateStatus.fromPartial({ ...status, detail: (status.detail ?? '').slice(0, 500) });
    if (JSON.stringify(next) === JSON.stringify(this.current)) return;
    this.current = next;
    this.parts.changed();
  }
}
