import { CurfewError } from '@curfew/shared';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { PersonMessenger } from '../../ports/person-messenger.js';
import type { GrantAccount } from '../../ports/privilege-host.js';

const [SETPRIV, BUSCTL] = ['/usr/bin/setpriv', '/usr/bin/busctl'];
/** The group of nobody: who speaks on a person's bus needs their uid and no group. */
const NOGROUP = '65534';
const BUS_TIMEOUT_MS = 2_000;
const GROUP_MAY_WRITE = 0o020;

export interface LinuxMessengerParts {
  readonly runner: CommandRunner;
  /** Where terminals are: '/dev/pts' and '/dev'. */
  readonly terminals?: readonly string[];
  /** Where people's buses are: '/run/user'. */
  readonly userFolders?: string;
}

/**
 * Writes to a person's terminals, as write(1) does, where they allow that (mesg(1)), and shows a notification on their
 * desktop (org.freedesktop.Notifications on their own bus, as their own user).
 */
export class LinuxMessenger implements PersonMessenger {
  constructor(private readonly parts: LinuxMessengerParts) {}

  async tell({ uid }: GrantAccount, text: string): Promise<void> {
    if (uid === null) return;
    const tried = await Promise.allSettled([this.toTerminals(uid, text), this.toDesktop(uid, text)]);
    for (const outcome of tried) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async toTerminals(uid: number, text: string): Promise<void> {
    const line = `\r\nCurfew: ${text}\r\n`;
    const files: string[] = [];
    for (const folder of this.parts.terminals ?? ['/dev/pts', '/dev']) {
      const names = await readdir(folder).catch(() => []);
      files.push(...names.filter((name) => /^(?:tty)?\d+$/.test(name)).map((name) => path.join(folder, name)));
    }
    const tried = await Promise.allSettled(files.map((file) => writeTo(file, uid, line)));
    for (const outcome of tried) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async toDesktop(uid: number, text: string): Promise<void> {
    const bus = path.join(this.parts.userFolders ?? '/run/user', String(uid), 'bus');
    const found = await lstat(bus).catch(() => undefined);
    if (found?.isSocket() !== true || found.uid !== uid) return;
    const person = [`--reuid=${uid}`, `--regid=${NOGROUP}`, '--clear-groups', '--no-new-privs'];
    const service = 'org.freedesktop.Notifications';
    const call = ['--', 'call', service, '/org/freedesktop/Notifications', service, 'Notify', 'susssasa{sv}i'];
    const notification = ['Curfew', '0', 'dialog-password', text, '', '0', '0', '-1'];
    const args = [...person, BUSCTL, `--address=unix:path=${bus}`, ...call, ...notification];
    const { exitCode, stderr } = await this.parts.runner.run(SETPRIV, args, { timeoutMs: BUS_TIMEOUT_MS });
    if (exitCode !== 0)
      throw new CurfewError('COMMAND_FAILED', { command: BUSCTL, exitCode: String(exitCode ?? 'none'), stderr });
  }
}

/** Writes where the terminal is the person's and they let others write to it; never waits for a reader. */
async function writeTo(file: string, uid: number, text: string): Promise<void> {
  const theirs = (at: { uid: number; mode: number; isCharacterDevice: () => boolean }): boolean =>
    at.isCharacterDevice() && at.uid === uid && (at.mode & GROUP_MAY_WRITE) !== 0;
  if (!theirs(await lstat(file))) return;
  const { O_WRONLY, O_NOCTTY, O_NONBLOCK, O_NOFOLLOW } = constants;
  const terminal = await open(file, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
  try {
    // It may be another one by now.
    if (theirs(await terminal.stat())) await terminal.write(text);
  } finally {
    await terminal.close();
  }
}
