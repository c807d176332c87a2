import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { ignoreMissing, putFile } from './durable-file.js';
import { parseMark, renderMark, type MembershipMark } from './membership-mark.js';
import { rightFileName } from './right-file-name.js';

/** The folder of marks, and beside it the script that goes by them. They survive a reboot, as memberships do. */
export class MembershipMarks {
  readonly folder: string;
  readonly script: string;

  constructor(
    stateDir: string,
    /** What takes memberships away by their marks, in shell. */
    private readonly removal: string,
  ) {
    this.folder = path.join(stateDir, 'memberships');
    this.script = path.join(stateDir, 'remove-memberships.sh');
  }

  file(uid: number, sessionId: string): string {
    return path.join(this.folder, rightFileName(uid, sessionId));
  }

  async write(mark: MembershipMark): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const written = await readFile(this.script, 'utf8').catch(ignoreMissing(''));
    if (written !== this.removal) await putFile(this.script, this.removal, 0o600);
    await putFile(this.file(mark.uid, mark.sessionId), renderMark(mark), 0o600);
  }

  async read(uid: number, sessionId: string): Promise<MembershipMark | undefined> {
    const file = this.file(uid, sessionId);
    const text = await readFile(file, 'utf8').catch(ignoreMissing(undefined));
    return text === undefined ? undefined : parseMark(path.basename(file), text);
  }

  /** Removes the folder if it is empty, and the script. */
  async clear(): Promise<void> {
    await rmdir(this.folder).catch(() => undefined);
    await rm(this.script, { force: true });
  }

  async list(): Promise<MembershipMark[]> {
    const names = await readdir(this.folder).catch(ignoreMissing<string[]>([]));
    const marks = await Promise.all(
      names.map(async (name) => {
        const text = await readFile(path.join(this.folder, name), 'utf8').catch(ignoreMissing(''));
        return parseMark(name, text);
      }),
    );
    return marks.filter((mark) => mark !== undefined);
  }
}
