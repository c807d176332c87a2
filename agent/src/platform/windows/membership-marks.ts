import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ignoreMissing, putJson } from './json-file.js';

const SID = /^S-1-[0-9]{1,14}(-[0-9]{1,10}){1,15}$/;

const markSchema = z.strictObject({
  sessionId: z.string().regex(/^ses-[0-9a-z]{20}$/),
  /** The boot in which the person was added. */
  bootId: z.string().min(1),
  sid: z.string().regex(SID),
  name: z.string().min(1),
  /** The group, by its SID: it may be renamed meanwhile, as it may be called differently on every machine. */
  groupSid: z.string().regex(SID),
  groupName: z.string().min(1),
  keepProcesses: z.boolean(),
});

/** What Curfew writes down before it adds a person to a group: only a membership with a mark is ever taken away. */
export type MembershipMark = Readonly<z.infer<typeof markSchema>>;

/** A folder of marks, each a file named by its session. They survive a reboot, as memberships do. */
export class MembershipMarks {
  constructor(readonly folder: string) {}

  async write(mark: MembershipMark): Promise<void> {
    await putJson(this.file(mark.sessionId), mark);
  }

  /** A file that is no mark of ours is as if it were not there. */
  async read(sessionId: string): Promise<MembershipMark | undefined> {
    const text = await readFile(this.file(sessionId), 'utf8').catch(ignoreMissing(''));
    try {
      const mark = markSchema.parse(JSON.parse(text));
      return mark.sessionId === sessionId ? mark : undefined;
    } catch {
      return undefined;
    }
  }

  async list(): Promise<MembershipMark[]> {
    const names = await readdir(this.folder).catch(ignoreMissing<string[]>([]));
    const marks = await Promise.all(names.map((name) => this.read(name.replace(/\.json$/, ''))));
    return marks.filter((mark) => mark !== undefined);
  }

  async remove(sessionId: string): Promise<void> {
    await rm(this.file(sessionId), { force: true });
  }

  /** Removes the folder if it is empty. */
  async clear(): Promise<void> {
    await rmdir(this.folder).catch(() => undefined);
  }

  private file(sessionId: string): string {
    return path.join(this.folder, `${sessionId}.json`);
  }
}
