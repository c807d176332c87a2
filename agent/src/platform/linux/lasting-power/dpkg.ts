import { readFile, stat } from 'node:fs/promises';
import type { CommandRunner } from '../../../ports/command-runner.js';
import type { LastingItem, PackageFile } from '../../../ports/lasting-power.js';
import { digestOf, packageItem, type PackageDatabase } from './package-database.js';

const [DPKG_QUERY, STATUS, INFO] = ['/usr/bin/dpkg-query', '/var/lib/dpkg/status', '/var/lib/dpkg/info'];
/** How many paths one command line takes. */
const AT_ONCE = 200;

/** A paragraph of dpkg's status file. */
interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** MD5 sums of conffiles by their paths. */
  readonly conffiles: ReadonlyMap<string, string>;
}

/** The package database of Debian and its kin. */
export class Dpkg implements PackageDatabase {
  private read: { readonly version: string; readonly packages: readonly InstalledPackage[] } | undefined;

  constructor(private readonly runner: CommandRunner) {}

  async items(): Promise<LastingItem[]> {
    const changedAtMs = await stat(STATUS).then(
      ({ ctimeMs }) => Math.floor(ctimeMs),
      () => 0,
    );
    return (await this.packages()).map(({ name, version }) => packageItem(name, version, changedAtMs));
  }

  async filesOf(files: readonly string[]): Promise<ReadonlyMap<string, PackageFile>> {
    const found = new Map<string, PackageFile>();
    const packages = new Map((await this.packages()).map((one) => [one.name, one]));
    if (packages.size === 0) return found;
    for (let at = 0; at < files.length; at += AT_ONCE)
      for (const [listed, owner] of await this.owners(files.slice(at, at + AT_ONCE))) {
        const file = files.find((one) => spellings(one).includes(listed));
        if (file === undefined) continue;
        const expected = packages.get(owner)?.conffiles.get(listed) ?? (await this.md5Of(owner, listed));
        const name = owner.split(':')[0] ?? owner;
        found.set(file, { name, intact: expected !== undefined && expected === (await digestOf(file, 'md5')) });
      }
    return found;
  }

  /** Listed paths with their packages, as `dpkg-query --search` prints them: 'PACKAGE[, PACKAGE…]: PATH'. */
  private async owners(files: readonly string[]): Promise<readonly (readonly [string, string])[]> {
    const args = ['--search', '--', ...files.flatMap(spellings)];
    const { stdout } = await this.runner.run(DPKG_QUERY, args, { timeoutMs: 30_000 });
    return stdout.split('\n').flatMap((line) => {
      const [, owner, listed] = /^([a-z0-9][a-z0-9+.:-]*)(?:, [^/]*)?: (\/.*)$/.exec(line) ?? [];
      return owner === undefined || listed === undefined ? [] : [[listed, owner] as const];
    });
  }

  private async md5Of(owner: string, listed: string): Promise<string | undefined> {
    const { name, arch } = { name: owner.split(':')[0] ?? owner, arch: owner.split(':')[1] };
    for (const one of arch === undefined ? [name] : [owner, name]) {
      const text = await readFile(`${INFO}/${one}.md5sums`, 'utf8').catch(() => '');
      const line = text.split('\n').find((sum) => sum.slice(34) === listed.slice(1));
      if (line !== undefined) return line.slice(0, 32);
    }
    return undefined;
  }

  private async packages(): Promise<readonly InstalledPackage[]> {
    const version = await stat(STATUS, { bigint: true }).then(
      ({ ino, size, ctimeNs }) => [ino, size, ctimeNs].join(),
      () => '',
    );
    if (version === '') return [];
    if (this.read?.version !== version)
      this.read = { version, packages: parseStatus(await readFile(STATUS, 'utf8').catch(() => '')) };
    return this.read.packages;
  }
}

/** Systems that have merged /lib into /usr/lib list files by either name. */
function spellings(file: string): string[] {
  const merged = /^\/usr(\/(?:lib|bin|sbin|lib64)\/.*)$/.exec(file)?.[1];
  const unmerged = /^\/(?:lib|bin|sbin|lib64)\//.test(file) ? `/usr${file}` : undefined;
  return [file, merged, unmerged].filter((one) => one !== undefined);
}

function parseStatus(text: string): InstalledPackage[] {
  return text.split('\n\n').flatMap((paragraph) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    if (!field('Status').endsWith(' installed')) return [];
    const conffiles = /^Conffiles:\n((?: .*\n?)*)/m.exec(paragraph)?.[1] ?? '';
    return [
      {
        name: field('Package'),
        version: field('Version'),
        conffiles: new Map(
          conffiles.split('\n').flatMap((line) => {
            const [, file, sum] = /^ (\/.*) ([0-9a-f]{32})/.exec(line) ?? [];
            return file === undefined || sum === undefined ? [] : [[file, sum] as const];
          }),
        ),
      },
    ];
  });
}
