import { hasUnsafeText, safeText } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { LocalAccount, WatchedAccounts } from '../../ports/account-directory.js';
import type { CommandRunner } from '../../ports/command-runner.js';
import { parseGroups } from './group-database.js';

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

const NOBODY = 65_534;
const LARGEST_UID = 2 ** 31;
const MOST_ACCOUNTS = 2_000;
/** LOGIN_NAME_MAX of Linux (limits.h), without the final NUL. */
const LONGEST_NAME_BYTES = 255;
/** The longest reason that the server takes. */
const LONGEST_REASON = 200;
const ADMIN_GROUPS: ReadonlySet<string> = new Set(['sudo', 'wheel', 'admin', 'root']);

/** The accounts of /etc/passwd, and by uid those of other name services too. */
export class EtcAccounts implements WatchedAccounts {
  constructor(
    private readonly runner: CommandRunner,
    /** Memberships that Curfew has given: whoever has one is no administrator without Curfew. */
    private readonly marks: { list(): Promise<readonly { readonly user: string; readonly group: string }[]> },
  ) {}

  async byUid(uid: number): Promise<LocalAccount | undefined> {
    const local = await this.entries();
    const entry = await this.entry(uid, local);
    return entry === undefined ? undefined : this.account(entry, local, await uidMin(), await this.administrators());
  }

  /** The group that an account has from its passwd entry. */
  async primaryGid(uid: number): Promise<number | undefined> {
    return (await this.entry(uid, await this.entries()))?.gid;
  }

  async list(): Promise<LocalAccount[]> {
    const [local, least, admins] = [await this.entries(), await uidMin(), await this.administrators()];
    const people = local
      .filter(({ uid, name }) => uid >= least && uid !== NOBODY && uid < LARGEST_UID && !isTooLong(name))
      .slice(0, MOST_ACCOUNTS);
    return Promise.all(people.map((entry) => this.account(entry, local, least, admins)));
  }

  async version(): Promise<string> {
    const files = await Promise.all(
      ['/etc/passwd', '/etc/group', '/etc/login.defs'].map((file) =>
        stat(file, { bigint: true }).then(
          ({ ino, size, ctimeNs }) => [ino, size, ctimeNs].join(),
          () => '',
        ),
      ),
    );
    return files.join(';');
  }

  private async account(
    entry: PasswdEntry,
    local: readonly PasswdEntry[],
    least: number,
    admins: { names: Set<string>; gids: Set<number> },
  ): Promise<LocalAccount> {
    const { name, uid, gid } = entry;
    const standingAdmin = uid === 0 || admins.names.has(name) || admins.gids.has(gid);
    return {
      name,
      uid,
      sid: '',
      fingerprint: await fingerprint(entry),
      standingAdmin,
      ineligibleReason: ineligible(entry, local, least).slice(0, LONGEST_REASON),
    };
  }

  private async entry(uid: number, local: readonly PasswdEntry[]): Promise<PasswdEntry | undefined> {
    return local.find((candidate) => candidate.uid === uid) ?? (await this.fromNameServices(uid));
  }

  private async administrators(): Promise<{ names: Set<string>; gids: Set<number> }> {
    const [names, gids] = [new Set<string>(), new Set<number>()];
    const given = new Set((await this.marks.list()).map(({ user, group }) => `${user}:${group}`));
    for (const group of parseGroups(await readFile('/etc/group', 'utf8').catch(() => '')).values()) {
      if (!ADMIN_GROUPS.has(group.name)) continue;
      gids.add(group.gid);
      for (const member of group.members) if (!given.has(`${member}:${group.name}`)) names.add(member);
    }
    return { names, gids };
  }

  private async entries(): Promise<PasswdEntry[]> {
    return (await readFile('/etc/passwd', 'utf8')).split('\n').flatMap((line) => parsePasswdLine(line) ?? []);
  }

  private async fromNameServices(uid: number): Promise<PasswdEntry | undefined> {
    const { exitCode, stdout } = await this.runner.run('/usr/bin/getent', ['passwd', String(uid)], {
      timeoutMs: 2_000,
    });
    const entry = exitCode === 0 ? parsePasswdLine(stdout.split('\n')[0] ?? '') : undefined;
    return entry?.uid === uid ? entry : undefined;
  }
}

function ineligible({ name, uid }: PasswdEntry, local: readonly PasswdEntry[], least: number): string {
  if (uid === 0) return 'it is root already';
  if (uid === NOBODY || uid >= LARGEST_UID) return `uid ${uid} is not a person's`;
  if (uid < least) return `it is a system account: its uid is below ${least}`;
  const sharesUid = local.find((candidate) => candidate.uid === uid && candidate.name !== name);
  if (sharesUid !== undefined) return `its uid belongs to '${safeText(sharesUid.name)}' as well`;
  const sharesName = local.find((candidate) => candidate.uid !== uid && candidate.name === name);
  if (sharesName !== undefined) return `its name belongs to uid ${sharesName.uid} as well`;
  return unclearName(name);
}

/**
 * Why a name could be taken for something else by one of the programs that handle it, or by the people who decide; ''
 * when it could not. No rule ever holds a name: spaces, '%', '\\', '@' and the like do no harm.
 */
function unclearName(name: string): string {
  if (isTooLong(name)) return `its name is longer than ${LONGEST_NAME_BYTES} bytes`;
  if (name.includes('\ufffd')) return 'its name is not UTF-8 text';
  if (hasUnsafeText(name) || name !== name.trim()) return 'its name holds characters that nobody can see';
  // sudo names its tickets by the account, and other programs other files.
  if (name.includes('/') || name === '.' || name === '..') return 'its name reads as a path';
  if (/^\d+$/.test(name)) return 'its name reads as a uid';
  return '';
}

const isTooLong = (name: string): boolean => Buffer.byteLength(name) > LONGEST_NAME_BYTES;

/**
 * Parses a line of passwd(5) as glibc does; undefined when it is none. Lines that start with '#' are comments, those
 * with '+' or '-' speak of other name services (nsswitch.conf(5), 'Compatibility mode').
 */
function parsePasswdLine(text: string): PasswdEntry | undefined {
  const line = text.replace(/^[ \t\v\f\r]+/, '');
  const [name, , uid, gid, , home] = line.split(':');
  if (
    name === undefined ||
    name === '' ||
    /^[#+-]/.test(name) ||
    home === undefined ||
    !/^\d{1,10}$/.test(uid ?? '') ||
    !/^\d{1,10}$/.test(gid ?? '')
  )
    return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** Tells an account from a later one with the same uid: name, ids, home, and when the home was made. */
async function fingerprint({ name, uid, gid, home }: PasswdEntry): Promise<string> {
  const made = await stat(home).then(
    ({ birthtimeMs }) => Math.floor(birthtimeMs),
    () => 0,
  );
  return createHash('sha256').update([name, uid, gid, home, made].join('\0')).digest('hex');
}

/** UID_MIN of login.defs(5): where people's accounts begin. */
async function uidMin(): Promise<number> {
  const text = await readFile('/etc/login.defs', 'utf8').catch(() => '');
  return Number(/^\s*UID_MIN\s+(\d+)/m.exec(text)?.[1] ?? 1000);
}
