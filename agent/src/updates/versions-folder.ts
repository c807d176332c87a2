import { isReleaseVersion } from '@curfew/shared';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { MadeVersions } from './made-versions.js';

/** A version that was tried and given up, and why. */
export interface GivenUp {
  readonly version: string;
  readonly why: string;
}

/**
 * The folder with versions that came from the server, each in a folder of its name, and the files by which the launcher picks
 * one at the next start (see packaging/linux/launcher.sh). Each of those files is replaced whole.
 */
export class VersionsFolder {
  constructor(readonly folder: string) {}

  /** Makes the folder, for root alone, and takes away what an update that was cut short has left. */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await rm(this.unpacking, { recursive: true, force: true });
  }

  /** The version that is to run at the next start; '' when none was ever chosen. */
  chosen(): Promise<string> {
    return this.version('chosen');
  }

  /** The newest version that has shown that it does its work; '' for none. */
  proved(): Promise<string> {
    return this.version('proved');
  }

  /** The version that was given up last. */
  async givenUp(): Promise<GivenUp | undefined> {
    const [, version = '', why = ''] = /^(\S+) (.*)\n/.exec(await this.text('bad')) ?? [];
    return isReleaseVersion(version) ? { version, why } : undefined;
  }

  /** Has a version run at the next start, on trial. */
  choose(version: string): Promise<void> {
    return this.put('chosen', version);
  }

  /** Ends a version's trial: it runs at every start from now on. */
  prove(version: string): Promise<void> {
    return this.put('proved', version);
  }

  /** Where a version is. */
  place(version: string): string {
    return path.join(this.folder, version);
  }

  /** Where an archive is unpacked until it is known to be good. */
  get unpacking(): string {
    return path.join(this.folder, '.unpacking');
  }

  /** Where an archive stands while it is fetched. */
  archive(sha256: string): string {
    return path.join(this.folder, `.archive-${sha256}`);
  }

  /** Gives what was unpacked its place, for good. */
  async settle(version: string): Promise<void> {
    const place = this.place(version);
    await new MadeVersions(this.folder).note(version, this.unpacking);
    await rm(place, { recursive: true, force: true });
    await rename(this.unpacking, place);
    await syncFolder(this.folder);
  }

  /** Takes away what was fetched and unpacked of a release that is not taken. */
  async discard(): Promise<void> {
    await rm(this.unpacking, { recursive: true, force: true });
    for (const name of await readdir(this.folder))
      if (name.startsWith('.archive-')) await rm(path.join(this.folder, name), { force: true });
  }

  /** Takes away versions that are not named, and archives other than the one that is. */
  async keepOnly(versions: ReadonlySet<string>, sha256 = ''): Promise<void> {
    for (const name of await readdir(this.folder).catch(() => [])) {
      // A version goes with the note of what was made for it.
      const version = name.replace(/^\.made-/, '');
      const isOld = isReleaseVersion(version) && !versions.has(version);
      const isArchive = name.startsWith('.archive-') && name !== `.archive-${sha256}`;
      if (isOld || isArchive) await rm(path.join(this.folder, name), { recursive: true, force: true });
    }
  }

  private async version(name: string): Promise<string> {
    const text = (await this.text(name)).trim();
    return isReleaseVersion(text) ? text : '';
  }

  private text(name: string): Promise<string> {
    return readFile(path.join(this.folder, name), 'utf8').catch(() => '');
  }

  private async put(name: string, version: string): Promise<void> {
    const fresh = path.join(this.folder, `.${name}`);
    const handle = await open(fresh, 'w', 0o600);
    try {
      await handle.writeFile(`${version}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path.join(this.folder, name));
    await syncFolder(this.folder);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
