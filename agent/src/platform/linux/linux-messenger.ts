import { CurfewError } from '@curfew/shared';
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { PersonMessenger } from '../../ports/person-messenger.js';
import type { GrantAccount } from '../../ports/privilege-host.js';
import { tellTerminals } from '../unix/terminals.js';
import { systemProgram } from '../unix/system-tools.js';

const [SETPRIV, BUSCTL] = [systemProgram('setpriv'), systemProgram('busctl')];
/** The group of nobody: who speaks on a person's bus needs their uid and no group. */
const NOGROUP = '65534';
const BUS_TIMEOUT_MS = 2_000;

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
    const folders = this.parts.terminals ?? ['/dev/pts', '/dev'];
    const tried = await Promise.allSettled([
      tellTerminals(folders, /^(?:tty)?\d+$/, uid, text),
      this.toDesktop(uid, text),
    ]);
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
