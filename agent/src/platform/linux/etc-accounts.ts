import { hasUnsafeText, safeText } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { uidOf, type AccountKey } from '../../ports/account-key.js';
import type { LocalAccount, WatchedAccounts } from '../../ports/account-directory.js';
import type { AdminRules } from './admin-rules.js';
import { parseGroups } from './group-database.js';
import type { PowerfulIds } from './lasting-power/file-power.js';
import { NEARLY_ADMIN_GROUPS } from './lasting-power/watched-places.js';
import { LocalPlaces } from './local-places.js';
import type { NameServices } from './name-services.js';
import { parsePasswdLine, type PasswdEntry } from './passwd-entry.js';

const NOBODY = 65_534;
const LARGEST_UID = 2 ** 31;
const MOST_ACCOUNTS = 2_000;
/** LOGIN_NAME_MAX of Linux (limits.h), without the final NUL. */
const LONGEST_NAME_BYTES = 255;
/** The longest reason that the server takes. */
const LONGEST_REASON = 200;
const ADMIN_GROUPS: ReadonlySet<string> = new Set(['sudo', 'wheel', 'admin', 'root']);

/** The accounts of /etc/passwd and of other name services. */
export class EtcAccounts implements WatchedAccounts {
  constructor(
    private readonly others: NameServices,
    /** The machine's own sudo rules. */
    private readonly rules: Pick<AdminRules, 'subjects' | 'version'>,
    /** Memberships that Curfew has given: whoever has one is no administrator without Curfew. */
    private readonly marks: { list(): Promise<readonly { readonly user: string; readonly group: string }[]> },
  ) {}

  async byKey(key: AccountKey): Promise<LocalAccount | undefined> {
    const [uid, local] = [uidOf(key), await this.entries()];
    const entry = uid === undefined ? undefined : await this.entry(uid, local);
    if (entry === undefined) return undefined;
    return this.account(entry, local, await uidMin(), await this.administrators(), await LocalPlaces.now());
  }

  /** The group that an account has from its passwd entry. */
  async primaryGid(uid: number): Promise<number | undefined> {
    return (await this.entry(uid, await this.entries()))?.gid;
  }

  async list(): Promise<LocalAccount[]> {
    const [local, least, admins] = [await this.entries(), await uidMin(), await this.administrators()];
    const known = new Set(local.map(({ uid }) => uid));
    const others = (await this.others.list()).filter(({ uid }) => !known.has(uid));
    const people = [...local, ...others]
      .filter(({ uid, name }) => uid >= least && uid !== NOBODY && uid < LARGEST_UID && !isTooLong(name))
      .slice(0, MOST_ACCOUNTS);
    const places = await LocalPlaces.now();
    return Promise.all(people.map((entry) => this.account(entry, local, least, admins, places)));
  }

  /** From which uid on accounts are people's, and which of these, and of the groups, are administrators'. */
  async powerfulIds(): Promise<PowerfulIds> {
    const [people, { gids }] = [await this.list(), await this.administrators()];
    const uids = people.flatMap(({ uid, standingAdmin }) => (standingAdmin && uid !== null ? [uid] : []));
    const groups = parseGroups(await readFile('/etc/group', 'utf8').catch(() => ''));
    const nearly = [...groups.values()].flatMap(({ name, gid }) => (NEARLY_ADMIN_GROUPS.has(name) ? [gid] : []));
    return { ordinaryFrom: await uidMin(), uids, gids: [...gids, ...nearly] };
  }

  async version(): Promise<string> {
    const files = await Promise.all(
      ['/etc/passwd', '/etc/group', '/etc/login.defs', '/etc/nsswitch.conf'].map((file) =>
        stat(file, { bigint: true }).then(
          ({ ino, size, ctimeNs }) => [ino, size, ctimeNs].join(),
          () => '',
        ),
      ),
    );
    return [...files, await this.rules.version(), this.others.seenCount].join(';');
  }

  private async account(
    entry: PasswdEntry,
    local: readonly PasswdEntry[],
    least: number,
    admins: { names: Set<string>; gids: Set<number> },
    places: LocalPlaces,
  ): Promise<LocalAccount> {
    const { name, uid, gid } = entry;
    const standingAdmin = uid === 0 || admins.names.has(name) || admins.gids.has(gid);
    return {
      name,
      uid,
      sid: '',
      fingerprint: await fingerprintOf(entry, places),
      standingAdmin,
      ineligibleReason: ineligible(entry, local, least).slice(0, LONGEST_REASON),
    };
  }

  private async entry(uid: number, local: readonly PasswdEntry[]): Promise<PasswdEntry | undefined> {
    return local.find((candidate) => candidate.uid === uid) ?? (await this.others.byUid(uid));
  }

  private async administrators(): Promise<{ names: Set<string>; gids: Set<number> }> {
    const rules = await this.rules.subjects();
    const [names, gids] = [new Set(rules.users), new Set<number>()];
    const given = new Set((await this.marks.list()).map(({ user, group }) => `${user}:${group}`));
    const wanted = [...new Set([...ADMIN_GROUPS, ...rules.groups])];
    const groups = parseGroups(await readFile('/etc/group', 'utf8').catch(() => ''));
    const elsewhere = await this.others.membersOf(wanted);
    for (const name of wanted) {
      const group = groups.get(name);
      if (group !== undefined) gids.add(group.gid);
      for (const member of [...(group?.members ?? []), ...(elsewhere.get(name) ?? [])])
        if (!given.has(`${member}:${name}`)) names.add(member);
    }
    return { names, gids };
  }

  private async entries(): Promise<PasswdEntry[]> {
    return (await readFile('/etc/passwd', 'utf8')).split('\n').flatMap((line) => parsePasswdLine(line) ?? []);
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
 * Tells an account from a later one with the same uid: name, ids, home, and when the home was made, as far as this machine can
 * say without asking another one.
 */
export async function fingerprintOf({ name, uid, gid, home }: PasswdEntry, places: LocalPlaces): Promise<string> {
  const made =
    (await places.resolve(home)) === undefined
      ? 0
      : await stat(home).then(
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
