import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** How many files are followed: as many as sudo itself allows one inside the other (sudoers(5), 'Including other files'). */
const MOST_FILES = 128;

/**
 * Where sudo may begin to read, before it has been asked: /etc/sudoers-rs is sudo-rs's own, which tells nothing (sudoers(5) of
 * sudo-rs, 'FILES'), /usr/etc that of SUSE's packages.
 */
export const EVERY_MAIN: readonly string[] = ['/etc/sudoers-rs', '/etc/sudoers', '/usr/etc/sudoers'];

/**
 * Where sudo begins to read, from what `sudo -V` tells root: 'Sudoers path: /etc/sudoers', which may name several places of
 * which the first that is there counts (sudo 1.9.14 and newer); undefined when it does not tell.
 */
export function sudoersPaths(told: string): readonly string[] | undefined {
  const [, paths = ''] = /^Sudoers path: (.+)$/m.exec(told) ?? [];
  const named = paths.split(':').filter((file) => path.isAbsolute(file));
  return named.length > 0 ? named : undefined;
}

/** The folders that the machine's sudo includes: from the first of the files that is there, through all that it includes. */
export async function includedFolders(mains: readonly string[]): Promise<ReadonlySet<string>> {
  const folders = new Set<string>();
  const files = new Set<string>();
  for (const main of mains) if (files.size === 0 && (await textOf(main)) !== undefined) files.add(main);
  // A set that grows is gone through to its end.
  for (const file of files)
    for (const include of includesOf((await textOf(file)) ?? '')) {
      const target = path.resolve(path.dirname(file), include.target);
      if (include.folder) folders.add(target);
      else if (files.size < MOST_FILES) files.add(target);
    }
  return folders;
}

interface Include {
  readonly folder: boolean;
  readonly target: string;
}

/** What a text includes: '@' since sudo 1.9.1, '#' in every one; a name with blanks is quoted, or its blanks are escaped. */
function includesOf(text: string): Include[] {
  return text.split('\n').flatMap((line) => {
    const [, dir, quoted, plain] = /^\s*[@#]include(dir)?\s+(?:"([^"]+)"|((?:\\.|\S)+))\s*$/.exec(line) ?? [];
    const target = quoted ?? plain?.replace(/\\(.)/g, '$1');
    return target === undefined ? [] : [{ folder: dir !== undefined, target }];
  });
}

const textOf = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);
