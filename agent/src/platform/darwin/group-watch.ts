import type { Clock } from '@curfew/shared';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { OpenDirectory } from './open-directory.js';

/** Where the groups of a Mac stand, a file for each. */
const GROUPS = '/var/db/dslocal/nodes/Default/groups';
/** How long a look counts where the file tells nothing: a program has to be started for it. */
const FRESH_MS = 5_000;

/** Who is in a group, for every tick: a program is only started when the group's file has changed, or now and then. */
export class GroupWatch {
  private readonly known = new Map<string, { version: string; atMs: number; names: ReadonlySet<string> }>();

  constructor(
    private readonly directory: OpenDirectory,
    private readonly clock: Clock,
    private readonly folder = GROUPS,
  ) {}

  async names(group: string): Promise<ReadonlySet<string>> {
    const version = await stat(path.join(this.folder, `${group}.plist`), { bigint: true }).then(
      ({ ino, size, mtimeNs, ctimeNs }) => [ino, size, mtimeNs, ctimeNs].join(),
      () => '',
    );
    const [earlier, now] = [this.known.get(group), this.clock.bootTime()];
    // Without a file to go by, only what was read in this very moment counts.
    if (earlier?.version === version && version !== '' && now - earlier.atMs < FRESH_MS) return earlier.names;
    const { names } = await this.directory.members(group);
    this.known.set(group, { version, atMs: now, names });
    return names;
  }
}
