import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LastingItem, PackageFile } from '../../../ports/lasting-power.js';

/** What says which files packages have brought. Where there is none, nothing is a package's. */
export interface PackageDatabase {
  /** The installed packages, each with its version. */
  items(): Promise<LastingItem[]>;
  /** Which of the files packages have brought, and whether they are as they were brought. */
  filesOf(files: readonly string[]): Promise<ReadonlyMap<string, PackageFile>>;
}

/** A package as a look shows it. */
export const packageItem = (name: string, version: string, changedAtMs: number): LastingItem => ({
  kind: 'package',
  subject: name,
  state: version,
  weight: 'notice',
  changedAtMs,
});

/** The digest of a file's content, in lower-case hex; '' when it cannot be read. */
export const digestOf = (file: string, algorithm: string): Promise<string> =>
  readFile(file).then(
    (content) => createHash(algorithm).update(content).digest('hex'),
    () => '',
  );
