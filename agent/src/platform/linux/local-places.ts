import { readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import { parseMounts } from './mounts.js';

/** File systems that another machine or program answers for: while it does not, whoever asks waits, for ever perhaps. */
const REMOTE = new Set([
  ...['nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'ncpfs', 'afs', 'coda', 'ceph', '9p', 'virtiofs', 'autofs', 'fuse'],
  ...['fuseblk', 'lustre', 'gpfs', 'beegfs', 'glusterfs', 'orangefs', 'pvfs2', 'gfs2', 'ocfs2'],
]);
const isRemote = (type: string): boolean => REMOTE.has(type) || type.startsWith('fuse.');
/** As many links the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

/** Which paths lead nowhere but to this machine's own file systems: a thread that waits for another machine removes no right. */
export class LocalPlaces {
  /** What each place leads to; undefined where it is no link. */
  private readonly links = new Map<string, Promise<string | undefined>>();

  private constructor(private readonly remote: ReadonlySet<string>) {}

  /** By the mounts of a moment; for a look, not to keep. */
  static async now(mountinfo = '/proc/self/mountinfo'): Promise<LocalPlaces> {
    const mounts = parseMounts(await readFile(mountinfo, 'utf8').catch(() => ''));
    // From a root that is another machine's the agent itself runs.
    return new LocalPlaces(
      new Set(mounts.filter(({ place, type }) => place !== '/' && isRemote(type)).map(({ place }) => place)),
    );
  }

  /** The path without links in it, if nothing on the way is another machine's, of which nothing is touched. Need not be there. */
  async resolve(file: string): Promise<string | undefined> {
    let todo = (path.isAbsolute(file) ? file : `${process.cwd()}/${file}`).split('/');
    let [current, followed] = ['/', 0];
    for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
      const one = path.join(current, part);
      if (this.remote.has(one)) return undefined;
      const target = part === '' || part === '.' || part === '..' ? undefined : await this.linkAt(one);
      if (target === undefined) current = one;
      else {
        followed += 1;
        if (followed > MOST_LINKS) return undefined;
        todo = [...target.split('/'), ...todo];
        if (path.isAbsolute(target)) current = '/';
      }
    }
    return current;
  }

  private linkAt(place: string): Promise<string | undefined> {
    const known = this.links.get(place) ?? readlink(place).catch(() => undefined);
    this.links.set(place, known);
    return known;
  }
}
