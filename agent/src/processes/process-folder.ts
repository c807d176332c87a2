import { leaseClaimsSchema } from '@curfew/shared';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ProcessRow } from '../ports/process-table.js';
import { processKey, type FollowedSession } from './session-members.js';

const sessionId = z.string().regex(/^ses-[0-9a-z]{20}$/);
/** The other side may be a newer version for a while: what it adds is not known here, and no reason to end a session. */
const sessionSchema = z.object({
  sessionId,
  uid: z.int().positive(),
  since: z.int().nonnegative(),
  keep: z.boolean(),
  recording: leaseClaimsSchema.shape.recording.catch(undefined),
});
const notedSchema = sessionSchema.extend({ folders: z.array(z.string()) });
const reportSchema = z.strictObject({
  sessionId,
  ended: z.int().nonnegative(),
  left: z.int().nonnegative(),
  leftNames: z.array(z.string()),
});

const cutsSchema = z.array(z.string());
const exemptSchema = z.array(z.string());
const versionSchema = z.string();

/** A session as the follower has noted it for the case that it is started anew, with the control groups that it has made. */
export type NotedSession = z.infer<typeof notedSchema>;

/** What became of the processes of a session that has ended. */
export type ProcessReport = z.infer<typeof reportSchema>;

/**
 * What agent and follower tell each other: files in a folder that only root may enter and that a reboot empties. A file in
 * `live` is a session that may run; when it is gone, the session is over, whoever took it away. A file in `begun` says the same
 * of a session until the follower knows of it, also of one that is over by then. `noted` is the follower's own record,
 * `reports` what it found at the end.
 */
export class ProcessFolder {
  readonly live: string;
  private readonly begun: string;
  private readonly noted: string;
  private readonly reported: string;
  private readonly portFile: string;
  private readonly cutsFile: string;
  private readonly exemptFile: string;
  private readonly followerFile: string;
  private readonly wantedFile: string;

  constructor(readonly folder: string) {
    this.live = path.join(folder, 'live');
    this.begun = path.join(folder, 'begun');
    this.noted = path.join(folder, 'noted');
    this.reported = path.join(folder, 'reports');
    this.portFile = path.join(folder, 'port');
    this.cutsFile = path.join(folder, CUTS);
    this.exemptFile = path.join(folder, EXEMPT);
    this.followerFile = path.join(folder, 'follower');
    this.wantedFile = path.join(folder, WANTED);
  }

  async prepare(): Promise<void> {
    for (const folder of [this.folder, this.live, this.begun, this.noted, this.reported])
      await mkdir(folder, { recursive: true, mode: 0o700 });
  }

  /** Takes the folder away: the follower ends what is left of sessions, and itself. */
  async remove(): Promise<void> {
    // By another name first: a folder in which the follower puts a report at that moment cannot be removed.
    const gone = `${this.folder}.gone`;
    await rm(gone, { recursive: true, force: true });
    await rename(this.folder, gone).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
    // Once more for what was under way: it has found the folder under its first name.
    await rm(gone, { recursive: true, force: true, maxRetries: 3 });
  }

  /** The file of a session that may run. */
  liveFile(id: string): string {
    return path.join(this.live, id);
  }

  /** Says that a session may run. One that runs already began when it began. */
  async begin(session: FollowedSession): Promise<void> {
    const file = this.liveFile(session.sessionId);
    const earlier = await readAs(file, sessionSchema);
    const begun = { ...session, since: Math.min(session.since, earlier?.since ?? session.since) };
    await put(file, begun);
    // After the other: one that has begun and is not live is over.
    await put(path.join(this.begun, session.sessionId), begun);
  }

  /** Says that a session is over. */
  async end(id: string): Promise<void> {
    await rm(this.liveFile(id), { force: true });
  }

  /** The sessions that may run now; undefined when the folder is gone, as after an uninstall. */
  async sessions(): Promise<FollowedSession[] | undefined> {
    const names = await readdir(this.live).catch(() => undefined);
    return names === undefined ? undefined : readAll(this.live, names, sessionSchema);
  }

  /** The sessions that have begun and that the follower has not said to know of. */
  async newSessions(): Promise<FollowedSession[]> {
    return readAll(this.begun, await readdir(this.begun).catch(() => []), sessionSchema);
  }

  /** Says that a session is known. */
  async dropNew(id: string): Promise<void> {
    await rm(path.join(this.begun, id), { force: true });
  }

  note(session: NotedSession): Promise<void> {
    return put(path.join(this.noted, session.sessionId), session);
  }

  async notes(): Promise<NotedSession[]> {
    return readAll(this.noted, await readdir(this.noted).catch(() => []), notedSchema);
  }

  /** Puts a report in the place of the note. */
  async report(report: ProcessReport): Promise<void> {
    await put(path.join(this.reported, report.sessionId), report);
    await rm(path.join(this.noted, report.sessionId), { force: true });
  }

  async reports(): Promise<ProcessReport[]> {
    return readAll(this.reported, await readdir(this.reported).catch(() => []), reportSchema);
  }

  async dropReport(id: string): Promise<void> {
    await rm(path.join(this.reported, id), { force: true });
  }

  /** The port at which sudo is received; the same one for as long as the follower can have it. */
  async port(): Promise<number> {
    const port = Number(await readFile(this.portFile, 'utf8').catch(() => ''));
    return FIRST_PORT <= port && port <= LAST_PORT ? port : FIRST_PORT;
  }

  async setPort(port: number): Promise<void> {
    await put(this.portFile, port);
  }

  /** Says which recordings' commands are to end, whole; of those that do not run nothing comes. */
  async setCuts(recordingIds: readonly string[]): Promise<void> {
    if (recordingIds.length === 0) await rm(this.cutsFile, { force: true });
    else await put(this.cutsFile, recordingIds);
  }

  async cuts(): Promise<string[]> {
    return (await readAs(this.cutsFile, cutsSchema)) ?? [];
  }

  /** Says which processes go on after the end of the session that they came from, with all that came from them. */
  async exempt(processes: readonly Pick<ProcessRow, 'pid' | 'start'>[]): Promise<void> {
    await put(this.exemptFile, processes.map(processKey));
  }

  /** Those processes, by `processKey`. */
  async exempted(): Promise<string[]> {
    return (await readAs(this.exemptFile, exemptSchema)) ?? [];
  }

  /** The version of the follower that runs; undefined when none does, as far as it could say so itself. */
  follower(): Promise<string | undefined> {
    return readAs(this.followerFile, versionSchema);
  }

  /** Says which version follows from now on; undefined: none. */
  async setFollower(version: string | undefined): Promise<void> {
    if (version === undefined) await rm(this.followerFile, { force: true });
    else await put(this.followerFile, version);
  }

  /** The version of the agent, which wants a follower of the same. */
  wanted(): Promise<string | undefined> {
    return readAs(this.wantedFile, versionSchema);
  }

  setWanted(version: string): Promise<void> {
    return put(this.wantedFile, version);
  }
}

/** The name of the file that says which version is to follow. */
export const WANTED = 'wanted';

/** The name of the file that says which commands are to end. */
export const CUTS = 'cuts';

/** The name of the file that says which processes go on. */
export const EXEMPT = 'exempt';

/** Ports that only root may listen at, and that no service of Debian has by name (services(5)). */
export const [FIRST_PORT, LAST_PORT] = [614, 623];

/** Whole or not at all; in the same file system. */
async function put(file: string, value: unknown): Promise<void> {
  const fresh = path.join(path.dirname(file), `.${path.basename(file)}`);
  await writeFile(fresh, JSON.stringify(value), { mode: 0o600 });
  await rename(fresh, file);
}

/** What is not there or makes no sense is left out. */
async function readAll<T>(folder: string, names: readonly string[], schema: z.ZodType<T>): Promise<T[]> {
  const found = names.filter((name) => !name.startsWith('.')).map((name) => readAs(path.join(folder, name), schema));
  return (await Promise.all(found)).filter((value) => value !== undefined);
}

async function readAs<T>(file: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return undefined;
  }
}
