import { CurfewError } from '@curfew/shared';
import { stat } from 'node:fs/promises';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { PersonMessenger } from '../../ports/person-messenger.js';
import type { GrantAccount } from '../../ports/privilege-host.js';
import { tellTerminals } from '../unix/terminals.js';
import { MAC_TOOLS } from './mac-tools.js';

/** What shows the first argument; the text is never part of the script. */
const SCRIPT = ['on run argv', 'display notification (item 1 of argv) with title "Curfew"', 'end run'];
const PATIENCE_MS = 2_000;

export interface MacMessengerParts {
  readonly runner: CommandRunner;
  /** Whose is the screen: the owner of /dev/console, with fast user switching the person who is in front of it now. */
  readonly consoleUid?: () => Promise<number | undefined>;
  /** Where terminals are: '/dev'. */
  readonly terminals?: readonly string[];
}

/** Writes to a person's terminals where they allow that, and shows a notification while the screen is theirs. */
export class MacMessenger implements PersonMessenger {
  constructor(private readonly parts: MacMessengerParts) {}

  async tell({ uid }: GrantAccount, text: string): Promise<void> {
    if (uid === null) return;
    const folders = this.parts.terminals ?? ['/dev'];
    const tried = await Promise.allSettled([tellTerminals(folders, /^ttys\d+$/, uid, text), this.toDesktop(uid, text)]);
    for (const outcome of tried) if (outcome.status === 'rejected') throw outcome.reason;
  }

  private async toDesktop(uid: number, text: string): Promise<void> {
    const { runner, consoleUid = ownerOfConsole } = this.parts;
    if ((await consoleUid()) !== uid) return;
    const script = SCRIPT.flatMap((line) => ['-e', line]);
    // In the person's own part of launchd, as the person. A text that begins with '-' would be an option.
    const args = [
      'asuser',
      String(uid),
      MAC_TOOLS.sudo,
      '-n',
      '-u',
      `#${uid}`,
      MAC_TOOLS.osascript,
      ...script,
      ` ${text}`,
    ];
    const { exitCode, stderr } = await runner.run(MAC_TOOLS.launchctl, args, { timeoutMs: PATIENCE_MS });
    if (exitCode !== 0)
      throw new CurfewError('COMMAND_FAILED', {
        command: MAC_TOOLS.osascript,
        exitCode: String(exitCode ?? 'none'),
        stderr,
      });
  }
}

const ownerOfConsole = (): Promise<number | undefined> =>
  stat('/dev/console').then(
    ({ uid }) => uid,
    () => undefined,
  );
