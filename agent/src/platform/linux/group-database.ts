import { readFile, stat } from 'node:fs/promises';

/** A line of group(5). */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The groups of /etc/group, read again only when the file has changed. */
export class GroupDatabase {
  private read: { readonly version: string; readonly groups: ReadonlyMap<string, GroupEntry> } | undefined;

  constructor(private readonly file = '/etc/group') {}

  async group(name: string): Promise<GroupEntry | undefined> {
    const { mtimeNs, ctimeNs, ino, size } = await stat(this.file, { bigint: true });
    const version = [mtimeNs, ctimeNs, ino, size].join();
    if (this.read?.version !== version) this.read = { version, groups: parseGroups(await readFile(this.file, 'utf8')) };
    return this.read.groups.get(name);
  }
}

/** Reads group(5). Where a name stands twice, the first counts, as it does for the system. */
export function parseGroups(text: string): ReadonlyMap<string, GroupEntry> {
  const groups = new Map<string, GroupEntry>();
  for (const line of text.split('\n')) {
    const [name = '', , gid = '', members] = line.split(':');
    if (name === '' || members === undefined || !/^\d{1,10}$/.test(gid) || groups.has(name)) continue;
    groups.set(name, { name, gid: Number(gid), members: members.split(',').filter(Boolean) });
  }
  return groups;
}
