import { CurfewError, type Clock } from '@curfew/shared';
import { mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../../ports/command-runner.js';
import type { LastingAddition } from '../../../ports/lasting-power.js';
import { parseGroups } from '../group-database.js';
import { isPlainName } from '../../unix/membership-mark.js';
import { accountItems } from './account-items.js';
import { fileState } from './file-items.js';
import { ADMIN_GROUPS } from './watched-places.js';
import { systemProgram } from '../../unix/system-tools.js';

const [GPASSWD, USERDEL] = [systemProgram('gpasswd'), systemProgram('userdel')];
/** gpasswd and userdel wait for whoever has the account files locked. */
const LOCK_WAIT_MS = 20_000;
/** Files that may be added for sudo; those of /etc that are there anyway can only be changed. */
const SUDO_FILES = /^\/etc\/(sudoers\.d\/[^/]+|doas\.conf|sudo\.conf)$/;
/** Of a file that is longer nothing is put aside. */
const LONGEST_ASIDE_BYTES = 1024 * 1024;

export interface UndoParts {
  readonly runner: CommandRunner;
  readonly clock: Pick<Clock, 'now'>;
  /** The folder where files are put that were taken away. */
  readonly aside: string;
}

/**
 * Undoes what was added, when it still is as it was seen. What is only changed is left: what was there before is not kept.
 * Gives whether there is a way to undo things like it. Errors: CHANGE_NOT_UNDONE.
 */
export async function undoAddition(change: LastingAddition, parts: UndoParts): Promise<boolean> {
  if (change.weight !== 'critical') return false;
  switch (change.kind) {
    case 'sudoers':
      if (!SUDO_FILES.test(change.subject)) return false;
      await takeFileAway(change, parts);
      return true;
    case 'group_member': {
      const [group = '', member = ''] = change.subject.split('/');
      if (!ADMIN_GROUPS.has(group)) return false;
      await takeMemberAway(group, member, parts);
      return true;
    }
    case 'account':
      if (!change.state.startsWith('uid 0,')) return false;
      await takeAccountAway(change, parts);
      return true;
    default:
      return false;
  }
}

async function takeFileAway({ subject, state }: LastingAddition, { aside, clock }: UndoParts): Promise<void> {
  const now = await fileState(subject);
  if (now === undefined) return;
  if (now !== state) throw notUndone('it has changed since it was looked at');
  // Evidence, not a condition: a disk that is full keeps nobody's right.
  await putAside(subject, path.join(aside, `${clock.now()}-${path.basename(subject)}`)).catch(() => undefined);
  await unlink(subject).catch((error: unknown) => {
    throw notUndone(String(error));
  });
}

async function putAside(file: string, copy: string): Promise<void> {
  const content = await readFile(file);
  if (content.length > LONGEST_ASIDE_BYTES) return;
  await mkdir(path.dirname(copy), { recursive: true, mode: 0o700 });
  await writeFile(copy, content, { mode: 0o600, flag: 'wx' });
}

async function takeMemberAway(group: string, member: string, { runner }: UndoParts): Promise<void> {
  if (!isPlainName(member)) throw notUndone('its name has characters that the group database does not take');
  const { stderr } = await runner.run(GPASSWD, ['-d', member, group], { timeoutMs: LOCK_WAIT_MS });
  const members = parseGroups(await readFile('/etc/group', 'utf8')).get(group)?.members ?? [];
  if (members.includes(member)) throw notUndone(stderr.trim());
}

async function takeAccountAway({ subject, state }: LastingAddition, { runner }: UndoParts): Promise<void> {
  // A name that stands there twice is told apart by a number, which is no plain name; whose line userdel would take is not known.
  if (!isPlainName(subject) || subject === 'root') throw notUndone('it cannot be told apart from another');
  const items = (await accountItems([])).filter(({ kind }) => kind === 'account');
  const now = items.find((item) => item.subject === subject)?.state;
  if (now === undefined) return;
  if (now !== state || items.some((item) => item.subject === `${subject} (2)`))
    throw notUndone('it has changed since it was looked at');
  // Whoever has renamed root, or taken root away, has left a machine with this account alone.
  if (!items.some((item) => item.subject === 'root' && item.state.startsWith('uid 0,')))
    throw notUndone('there is no account root beside it');
  // Forced: whatever runs as root counts as the account's.
  const { stderr } = await runner.run(USERDEL, ['--force', subject], { timeoutMs: LOCK_WAIT_MS });
  const left = (await accountItems([])).some((item) => item.kind === 'account' && item.subject === subject);
  if (left) throw notUndone(stderr.trim());
}

const notUndone = (detail: string): CurfewError => new CurfewError('CHANGE_NOT_UNDONE', { detail });
