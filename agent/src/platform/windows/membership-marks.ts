import { readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ignoreMissing, putJson } from './json-file.js';

/** What the files of marks end in. */
const [STAYING, LEAVING] = ['.json', '.leaving'];
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

/**
 * A folder of marks, each a file named by its session. They survive a reboot, as memberships do. A mark is called otherwise
 * while its session leaves a membership that others share: so those who leave at once know of each other, in any process.
 */
export class MembershipMarks {
  constructor(readonly folder: string) {}

  /** Whoever was leaving stays again. */
  async write(mark: MembershipMark): Promise<void> {
    await putJson(this.file(mark.sessionId), mark);
    await rm(this.file(mark.sessionId, LEAVING), { force: true });
  }

  /** A file that is no mark of ours is as if it were not there. */
  async read(sessionId: string): Promise<MembershipMark | undefined> {
    return (await this.readAs(sessionId, STAYING)) ?? this.readAs(sessionId, LEAVING);
  }

  async list(): Promise<MembershipMark[]> {
    const ids = new Set((await this.names()).map((name) => name.replace(/\.(json|leaving)$/, '')));
    const marks = await Promise.all([...ids].map((id) => this.read(id)));
    return marks.filter((mark) => mark !== undefined);
  }

  /** The marks of those who are not about to leave. */
  async staying(): Promise<MembershipMark[]> {
    const ids = (await this.names()).map((name) => name.replace(/\.json$/, ''));
    const marks = await Promise.all(ids.map((id) => this.readAs(id, STAYING)));
    return marks.filter((mark) => mark !== undefined);
  }

  /** Needs no room on the disk; a mark that is not there, or that leaves already, is left as it is. */
  async leave(sessionId: string): Promise<void> {
    await rename(this.file(sessionId), this.file(sessionId, LEAVING)).catch(ignoreMissing(undefined));
  }

  async remove(sessionId: string): Promise<void> {
    for (const end of [STAYING, LEAVING]) await rm(this.file(sessionId, end), { force: true });
  }

  /** Removes the folder if it is empty. */
  async clear(): Promise<void> {
    await rmdir(this.folder).catch(() => undefined);
  }

  private async readAs(sessionId: string, end: string): Promise<MembershipMark | undefined> {
    const text = await readFile(this.file(sessionId, end), 'utf8').catch(ignoreMissing(''));
    try {
      const mark = markSchema.parse(JSON.parse(text));
      return mark.sessionId === sessionId ? mark : undefined;
    } catch {
      return undefined;
    }
  }

  private async names(): Promise<string[]> {
    return readdir(this.folder).catch(ignoreMissing<string[]>([]));
  }

  private file(sessionId: string, end = STAYING): string {
    return path.join(this.folder, `${sessionId}${end}`);
  }
}
