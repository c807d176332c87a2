import { stat } from 'node:fs/promises';
import type { CommandRunner } from '../../../ports/command-runner.js';
import type { LastingItem, PackageFile } from '../../../ports/lasting-power.js';
import { digestOf, packageItem, type PackageDatabase } from './package-database.js';

const RPM = '/usr/bin/rpm';
/** Where the database is, by the distribution and its age; each with the file that changes take first (SQLite's journal). */
const DATABASES = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'].flatMap((folder) =>
  ['rpmdb.sqlite', 'rpmdb.sqlite-wal', 'Packages.db', 'Packages'].map((name) => `${folder}/${name}`),
);
/** The algorithms of file digests by their numbers (RFC 9580, 9.5; rpm's FILEDIGESTALGO); '(none)' is MD5. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  '(none)': 'md5',
  1: 'md5',
  2: 'sha1',
  8: 'sha256',
  9: 'sha384',
  10: 'sha512',
};
const OPTIONS = { timeoutMs: 30_000 };

/** A package's files: digests by path. */
interface Manifest {
  readonly name: string;
  readonly algorithm: string | undefined;
  readonly digests: ReadonlyMap<string, string>;
}

/** The package database of Fedora, SUSE and their kin. Its own verification is not used: that runs the packages' scripts. */
export class Rpm implements PackageDatabase {
  private read: { readonly version: string; readonly items: LastingItem[] } | undefined;

  constructor(private readonly runner: CommandRunner) {}

  async items(): Promise<LastingItem[]> {
    const stats = await Promise.all(DATABASES.map((file) => stat(file).catch(() => undefined)));
    const version = stats.map((one) => (one === undefined ? '' : `${one.ino} ${one.size} ${one.ctimeMs}`)).join();
    if (stats.every((one) => one === undefined)) return [];
    if (this.read?.version !== version) {
      const changedAtMs = Math.floor(Math.max(...stats.map((one) => one?.ctimeMs ?? 0)));
      const lines = await this.query('-qa', '--qf', '%{NAME}\t%{EVR}\n');
      const named = lines.map((line) => line.split('\t'));
      const items = named.map(([name = '', evr = '']) => packageItem(name, evr, changedAtMs));
      this.read = { version, items };
    }
    return this.read.items;
  }

  async filesOf(files: readonly string[]): Promise<ReadonlyMap<string, PackageFile>> {
    const found = new Map<string, PackageFile>();
    if ((await this.items()).length === 0) return found;
    const manifests = new Map<string, Manifest>();
    for (const file of files) {
      // The header's own number, and not the name: kernels and some others are installed in several versions at a time.
      const [owner] = await this.query('-qf', '--qf', '%{DBINSTANCE}\n', '--', file);
      if (owner === undefined || !/^\d+$/.test(owner)) continue;
      const { name, algorithm, digests } = manifests.get(owner) ?? (await this.manifest(owner));
      manifests.set(owner, { name, algorithm, digests });
      const digest = digests.get(file) ?? '';
      const intact = algorithm !== undefined && digest !== '' && digest === (await digestOf(file, algorithm));
      found.set(file, { name, intact });
    }
    return found;
  }

  private async manifest(owner: string): Promise<Manifest> {
    const format = '%{NAME}\t%{FILEDIGESTALGO}\n[%{FILEDIGESTS}\t%{FILENAMES}\n]';
    const [head = '', ...lines] = await this.query('-q', '--querybynumber', owner, '--qf', format);
    const [name = '', algorithm = ''] = head.split('\t');
    const digests = lines.map(
      (line) => [line.slice(line.indexOf('\t') + 1), line.slice(0, line.indexOf('\t'))] as const,
    );
    return { name, algorithm: ALGORITHMS[algorithm], digests: new Map(digests) };
  }

  /** The lines of an answer; none where rpm has no answer. */
  private async query(...args: readonly string[]): Promise<string[]> {
    const { exitCode, stdout } = await this.runner.run(RPM, args, OPTIONS);
    return exitCode === 0 ? stdout.split('\n').filter(Boolean) : [];
  }
}
