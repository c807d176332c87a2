import type { DurationMs } from '@curfew/shared';

/** What a thing is that gives power beyond a session. */
export const ITEM_KINDS = [
  'sudoers',
  'account',
  'password',
  'group',
  'group_member',
  'privileged_file',
  'cron',
  'at',
  'service',
  'pam',
  'polkit',
  'authorized_keys',
  'loader',
  'profile',
  'sshd_config',
  'agent',
  'package',
] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** How much it matters, the least first. */
export const WEIGHTS = ['notice', 'warning', 'critical'] as const;
export type Weight = (typeof WEIGHTS)[number];

/** One thing on the device that gives power beyond a session: a rule, an account, a job, a key. */
export interface LastingItem {
  readonly kind: ItemKind;
  /** Names it among those of its kind: a path, a name, 'group/user'. */
  readonly subject: string;
  /** Two items of one name are the same thing when this is the same. Holds no secret. */
  readonly state: string;
  /** What it would mean that it is new, or other than before. */
  readonly weight: Weight;
  /** When the file that it stands in was last changed, by the file system's clock. */
  readonly changedAtMs: number;
  /** Whose it is, when it is one account's own. */
  readonly account?: string;
  /** The file that it is, when it is one that a package could have brought; for a link, the file that it leads to. */
  readonly file?: string;
}

/** Something that was not there before, as it was last seen. */
export type LastingAddition = Pick<LastingItem, 'kind' | 'subject' | 'state' | 'weight'>;

/** What the package database says of a file. */
export interface PackageFile {
  readonly name: string;
  /** Whether the file is as the package brought it. */
  readonly intact: boolean;
}

/** What a look at every file that runs with more rights than its caller has found. */
export interface PrivilegedFiles {
  readonly items: readonly LastingItem[];
  /** Whether it was given up at its limit, so that files may be missing. */
  readonly incomplete: boolean;
}

/** Looks at what would give somebody power after a session, and undoes the worst of it. */
export interface LastingPower {
  /**
   * Everything but privileged files: cheap, for files that have not changed are not read again. What Curfew itself has put
   * there for the sessions is left out.
   */
  look(sessionIds: ReadonlySet<string>): Promise<readonly LastingItem[]>;
  /** Walks the local file systems at the lowest priority. Takes seconds to minutes, `limit` at the most. */
  privilegedFiles(limit: DurationMs): Promise<PrivilegedFiles>;
  /** What the package database says of files; those of no package are left out. */
  packagesOf(files: readonly string[]): Promise<ReadonlyMap<string, PackageFile>>;
  /**
   * Undoes something that was added and is as it was seen: a file for sudo, a member of an administrators' group, an account
   * with uid 0. Gives whether there is a way to undo things like it. Errors: why it could not be undone.
   */
  undo(change: LastingAddition): Promise<boolean>;
  /** Calls the listener soon after something in the most telling places has changed. The returned function ends that. */
  watch(listener: () => void): () => void;
}
