import { hasUnsafeText } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { LocalAccount, WatchedAccounts } from '../../ports/account-directory.js';
import { uidOf, type AccountKey } from '../../ports/account-key.js';
import type { DirectoryRecord } from './directory-record.js';
import type { OpenDirectory } from './open-directory.js';

/** Where people's uids begin on a Mac; 500 and below are the system's (Directory Utility counts from 501). */
const LEAST_UID = 501;
const LARGEST_UID = 2 ** 31;
const MOST_ACCOUNTS = 2_000;
/** LOGIN_NAME_MAX of macOS (limits.h), without the final NUL. */
const LONGEST_NAME_BYTES = 254;
/** Where a Mac keeps its own accounts and groups: what changes there changes the list. */
const LOCAL_NODE = ['users', 'groups'].map((folder) => `/var/db/dslocal/nodes/Default/${folder}`);

/** The accounts of a Mac, and by uid those of directory servers too. */
export class MacAccounts implements WatchedAccounts {
  constructor(
    private readonly directory: OpenDirectory,
    /** Memberships that Curfew has given: whoever has one is no administrator without Curfew. */
    private readonly marks: { list(): Promise<readonly { readonly user: string; readonly group: string }[]> },
    private readonly localNode: readonly string[] = LOCAL_NODE,
  ) {}

  async byKey(key: AccountKey): Promise<LocalAccount | undefined> {
    const uid = uidOf(key);
    const name = uid === undefined ? undefined : await this.directory.nameOf(uid);
    const record = name === undefined ? undefined : await this.directory.user(name);
    const account = record === undefined ? undefined : accountOf(record, await this.standingAdmins());
    return account?.uid === uid ? account : undefined;
  }

  /** Those of the Mac itself: network accounts are not listed, as a directory server may have any number. */
  async list(): Promise<LocalAccount[]> {
    const admins = await this.standingAdmins();
    const accounts = (await this.directory.localUsers()).flatMap((record) => accountOf(record, admins) ?? []);
    return accounts
      .filter(({ uid, name }) => uid !== null && uid >= LEAST_UID && uid < LARGEST_UID && !name.startsWith('_'))
      .slice(0, MOST_ACCOUNTS);
  }

  async version(): Promise<string> {
    const facts = await Promise.all(
      this.localNode.map((folder) =>
        stat(folder, { bigint: true }).then(
          ({ ino, mtimeNs, ctimeNs }) => [ino, mtimeNs, ctimeNs].join(),
          () => '',
        ),
      ),
    );
    return facts.join(';');
  }

  /** Names and UUIDs of the administrators whom Curfew has not made ones. */
  private async standingAdmins(): Promise<ReadonlySet<string>> {
    const { name } = await this.directory.adminGroup();
    const { names } = await this.directory.members(name);
    const given = new Set((await this.marks.list()).filter(({ group }) => group === name).map(({ user }) => user));
    return new Set([...names].filter((member) => !given.has(member)));
  }
}

/** An account as a record says it; undefined for what is none. */
function accountOf(record: DirectoryRecord, admins: ReadonlySet<string>): LocalAccount | undefined {
  const one = (key: string): string => record.get(key)?.[0] ?? '';
  const [name, uid] = [one('RecordName'), Number(one('UniqueID') || Number.NaN)];
  if (name === '' || !Number.isInteger(uid)) return undefined;
  const facts = [name, uid, one('PrimaryGroupID'), record.get('NFSHomeDirectory')?.join(' '), one('GeneratedUID')];
  return {
    name,
    uid,
    sid: '',
    // The UUID tells it from a later account with the same name and uid.
    fingerprint: createHash('sha256').update(facts.join('\0')).digest('hex'),
    standingAdmin: uid === 0 || admins.has(name),
    ineligibleReason: ineligible(name, uid, /^(1|yes|true)$/i.test(one('IsHidden'))),
  };
}

function ineligible(name: string, uid: number, hidden: boolean): string {
  if (uid === 0) return 'it is root already';
  if (uid < 0 || uid >= LARGEST_UID) return `uid ${uid} is not a person's`;
  if (uid < LEAST_UID) return `it is a system account: its uid is below ${LEAST_UID}`;
  if (name.startsWith('_')) return "it is a service's account: its name begins with '_'";
  if (hidden) return 'it is hidden: an account of management software';
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `its name is longer than ${LONGEST_NAME_BYTES} bytes`;
  if (hasUnsafeText(name)) return 'its name holds characters that nobody can see';
  if (name.includes('/') || name === '.' || name === '..') return 'its name reads as a path';
  return /^\d+$/.test(name) ? 'its name reads as a uid' : '';
}
