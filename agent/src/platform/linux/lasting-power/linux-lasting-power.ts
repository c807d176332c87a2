import { durationMs, type Clock, type DurationMs } from '@curfew/shared';
import { watch, type FSWatcher } from 'node:fs';
import type { CommandRunner } from '../../../ports/command-runner.js';
import type {
  LastingAddition,
  LastingItem,
  LastingPower,
  PackageFile,
  PrivilegedFiles,
} from '../../../ports/lasting-power.js';
import type { SearchedPlaces } from '../../platform.js';
import { accountItems, keyPlaces } from './account-items.js';
import { Dpkg } from './dpkg.js';
import { FileItems } from './file-items.js';
import type { PowerfulIds } from './file-power.js';
import type { PackageDatabase } from './package-database.js';
import { scanPrivilegedFiles } from './privileged-files.js';
import { Rpm } from './rpm.js';
import { undoAddition } from './undo-addition.js';
import { TELLING_FOLDERS, WATCHED_PLACES } from './watched-places.js';

export interface LinuxLastingPowerParts {
  readonly runner: CommandRunner;
  /** Memberships that Curfew has given: they end with their sessions. */
  readonly marks: { list(): Promise<readonly { readonly user: string; readonly group: string }[]> };
  readonly clock: Clock;
  /** Whether a file is Curfew's own trace of one of the sessions, and as Curfew made it. */
  readonly isOwn: (file: string, sessionIds: ReadonlySet<string>) => Promise<boolean>;
  readonly searched: SearchedPlaces;
  /** Whose rights are more than those of anybody. */
  readonly powerfulIds: () => Promise<PowerfulIds>;
  /** Files and folders of the agent's own program and service. */
  readonly program: readonly string[];
  /** The folder where files are put that were taken away. */
  readonly aside: string;
}

/** Programs change several files one after the other; they are looked at once. */
const QUIET = durationMs(300);

/** What gives power on a Linux machine. */
export class LinuxLastingPower implements LastingPower {
  private readonly files = new FileItems();
  private readonly packages: readonly PackageDatabase[];

  constructor(private readonly parts: LinuxLastingPowerParts) {
    this.packages = [new Dpkg(parts.runner), new Rpm(parts.runner)];
  }

  async look(sessionIds: ReadonlySet<string>): Promise<readonly LastingItem[]> {
    const [accounts, packages, keys] = await Promise.all([
      this.parts.marks.list().then(accountItems),
      Promise.all(this.packages.map((database) => database.items())),
      keyPlaces(),
    ]);
    const program = { kind: 'agent', weight: 'critical', paths: this.parts.program, deep: true } as const;
    const files = await this.files.read([program, ...WATCHED_PLACES, ...keys]);
    const own = await Promise.all(files.map(({ subject }) => this.parts.isOwn(subject, sessionIds)));
    return [...accounts, ...packages.flat(), ...files.filter((_, at) => own[at] === false)];
  }

  async privilegedFiles(limit: DurationMs): Promise<PrivilegedFiles> {
    const { runner, searched, powerfulIds } = this.parts;
    if (searched.length === 0) return { items: [], incomplete: true };
    return scanPrivilegedFiles(runner, searched === 'all' ? [] : searched, limit, await powerfulIds());
  }

  async packagesOf(files: readonly string[]): Promise<ReadonlyMap<string, PackageFile>> {
    const found = await Promise.all(this.packages.map((database) => database.filesOf(files)));
    return new Map(found.flatMap((one) => [...one]));
  }

  undo(change: LastingAddition): Promise<boolean> {
    return undoAddition(change, this.parts);
  }

  watch(listener: () => void): () => void {
    const { clock } = this.parts;
    let cancel: (() => void) | undefined;
    const soon = (): void => {
      cancel ??= clock.after(QUIET, () => {
        cancel = undefined;
        listener();
      });
    };
    const watchers = TELLING_FOLDERS.flatMap((folder): FSWatcher[] => {
      try {
        // What is not there, or can no longer be watched, is seen by the looks in between.
        return [watch(folder, soon).on('error', () => undefined)];
      } catch {
        return [];
      }
    });
    return () => {
      cancel?.();
      for (const one of watchers) one.close();
    };
  }
}
