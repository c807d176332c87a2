import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';

const GROUP_MAY_WRITE = 0o020;

/** Writes to a person's terminals in some folders, as write(1) does: those that are theirs and that they let others write to. */
export async function tellTerminals(
  folders: readonly string[],
  names: RegExp,
  uid: number,
  text: string,
): Promise<void> {
  const line = `\r\nCurfew: ${text}\r\n`;
  const files: string[] = [];
  for (const folder of folders) {
    const found = await readdir(folder).catch(() => []);
    files.push(...found.filter((name) => names.test(name)).map((name) => path.join(folder, name)));
  }
  const tried = await Promise.allSettled(files.map((file) => writeTo(file, uid, line)));
  for (const outcome of tried) if (outcome.status === 'rejected') throw outcome.reason;
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
