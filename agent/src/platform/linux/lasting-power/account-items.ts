import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LastingItem, Weight } from '../../../ports/lasting-power.js';
import { parseGroups } from '../group-database.js';
import { ADMIN_GROUPS, NEARLY_ADMIN_GROUPS, type WatchedPlace } from './watched-places.js';

/** A line of /etc/passwd, of which nothing is believed but its text. */
interface PasswdLine {
  readonly name: string;
  readonly uid: string;
  readonly gid: string;
  readonly home: string;
  readonly shell: string;
}

const NO_LOGIN = /\/(nologin|false|sync|halt|shutdown)$/;
/** Where people's accounts begin by custom (login.defs(5), UID_MIN). */
const FIRST_PERSON = 1000;
/** How many homes are looked into for keys. */
const MOST_HOMES = 2_000;
/** Room for a thousand keys. */
const LONGEST_KEYS_BYTES = 256 * 1024;

/** Accounts, the states of their passwords, groups and their members. A membership that Curfew has given is left out. */
export async function accountItems(
  given: readonly { readonly user: string; readonly group: string }[],
): Promise<LastingItem[]> {
  const [passwd, shadow, group] = await Promise.all(['/etc/passwd', '/etc/shadow', '/etc/group'].map(textOf));
  const own = new Set(given.map(({ user, group: name }) => `${name}/${user}`));
  return [
    ...passwdLines(passwd?.text ?? '').map((line) => accountItem(line, passwd?.changedAtMs ?? 0)),
    ...passwordItems(shadow?.text ?? '', shadow?.changedAtMs ?? 0),
    ...groupItems(group?.text ?? '', group?.changedAtMs ?? 0).filter(
      ({ kind, subject }) => !(kind === 'group_member' && own.has(subject)),
    ),
  ];
}

/** The keys by which people, root included, may log in. */
export async function keyPlaces(): Promise<readonly WatchedPlace[]> {
  const lines = passwdLines((await textOf('/etc/passwd'))?.text ?? '').filter(({ home }) => path.isAbsolute(home));
  const homes = new Map(lines.map((line) => [line.home, line]));
  return [...homes].slice(0, MOST_HOMES).map(([home, { name, uid }]) => ({
    kind: 'authorized_keys',
    weight: isRoot(uid) ? 'critical' : 'warning',
    paths: ['authorized_keys', 'authorized_keys2'].map((file) => path.join(home, '.ssh', file)),
    longestBytes: LONGEST_KEYS_BYTES,
    account: { name },
  }));
}

function accountItem({ name, uid, gid, home, shell }: PasswdLine, changedAtMs: number): LastingItem {
  // What other programs may read as a number in their own ways is not guessed at.
  const isUnclear = !/^\d+$/.test(uid) || !/^[^#+\-\s]/.test(name);
  const isPerson = Number(uid) >= FIRST_PERSON && !NO_LOGIN.test(shell);
  return {
    kind: 'account',
    subject: name,
    state: `uid ${uid}, gid ${gid}, home ${home}, shell ${shell}`,
    weight: isUnclear || isRoot(uid) ? 'critical' : isPerson ? 'warning' : 'notice',
    changedAtMs,
    account: name,
  };
}

/** Programs cut what is longer than 32 bits. */
const isRoot = (uid: string): boolean => Number(uid) % 2 ** 32 === 0;

/** Whether an account has a password and since when, from shadow(5). Never a hash. */
function passwordItems(text: string, changedAtMs: number): LastingItem[] {
  return text.split('\n').flatMap((line): LastingItem[] => {
    const [name, hash, lastChange] = line.split(':');
    if (name === undefined || name === '' || hash === undefined) return [];
    const state = hash === '' ? 'none: anybody may log in' : /^[!*]/.test(hash) ? 'locked' : 'set';
    const since = /^\d+$/.test(lastChange ?? '') && state === 'set' ? `, changed on day ${lastChange}` : '';
    return [
      {
        kind: 'password',
        subject: name,
        state: `${state}${since}`,
        weight: name === 'root' || hash === '' ? 'critical' : state === 'locked' ? 'notice' : 'warning',
        changedAtMs,
        account: name,
      },
    ];
  });
}

function groupItems(text: string, changedAtMs: number): LastingItem[] {
  return [...parseGroups(text).values()].flatMap(({ name, gid, members }): LastingItem[] => {
    const power: Weight = ADMIN_GROUPS.has(name) ? 'critical' : NEARLY_ADMIN_GROUPS.has(name) ? 'warning' : 'notice';
    return [
      { kind: 'group', subject: name, state: `gid ${gid}`, weight: gid === 0 ? 'critical' : 'notice', changedAtMs },
      ...[...new Set(members)].map((member) => ({
        kind: 'group_member' as const,
        subject: `${name}/${member}`,
        state: 'member',
        weight: power,
        changedAtMs,
      })),
    ];
  });
}

/** Every line that is no comment. A name that stands there again is told apart: the second may be the one that counts. */
function passwdLines(text: string): PasswdLine[] {
  const seen = new Map<string, number>();
  return text.split('\n').flatMap((line) => {
    const [first = '', , uid = '', gid = '', , home = '', shell = ''] = line.split(':');
    if (first === '' || first.startsWith('#')) return [];
    const count = (seen.get(first) ?? 0) + 1;
    seen.set(first, count);
    return [{ name: count === 1 ? first : `${first} (${count})`, uid, gid, home, shell }];
  });
}

async function textOf(file: string): Promise<{ readonly text: string; readonly changedAtMs: number } | undefined> {
  try {
    return { text: await readFile(file, 'utf8'), changedAtMs: Math.floor((await stat(file)).ctimeMs) };
  } catch {
    return undefined;
  }
}
