import { durationMs, MINUTE, SECOND, type CancelTimer, type Clock, type DurationMs } from '@curfew/shared';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { leftPower } from './elevation-ends.js';
import { ignoreMissing, putJson } from './json-file.js';
import type { TokensApi } from './windows-api.js';

/** How long somebody who is about to be signed out has to save their work. */
const GRACE = durationMs(MINUTE);
/** How long an uninstall waits for the last of them: the warning and some looks. */
export const SIGNED_OUT_WITHIN = durationMs(GRACE + 15 * SECOND);
const LOOK = SECOND;

const noteSchema = z.strictObject({
  sessionId: z.string().regex(/^ses-[0-9a-z]{20}$/),
  bootId: z.string(),
  sid: z.string(),
  keep: z.boolean(),
});

/** A right that is gone, and what its person may keep of it. */
export type EndedRight = Readonly<z.infer<typeof noteSchema>>;

export interface PowerEndingParts {
  readonly tokens: TokensApi;
  readonly clock: Clock;
  /** Where ends that are not done are written down, for the next process. */
  readonly folder: string;
  /** Whether an account is an administrator again, by another right: then it keeps what it has. */
  readonly isAdministrator: (sid: string) => Promise<boolean>;
  /** Told what was found, in words. */
  readonly found: (text: string, fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Ends what a membership leaves in tokens, apart from the removal, which waits for none of this. Processes that are elevated
 * end at once, and again each second; a logon that can elevate without a password is signed out after a warning.
 */
export class PowerEnding {
  private readonly running = new Map<string, CancelTimer>();
  private readonly waiting = new Map<string, Promise<void>>();
  private readonly done = new Map<string, () => void>();

  constructor(private readonly parts: PowerEndingParts) {}

  /**
   * Begins with a right whose membership has been read as gone: resolves once that survives the end of this process.
   * Without a disk it is done all the same.
   */
  async begin(ended: EndedRight): Promise<void> {
    const { sessionId } = ended;
    if (this.running.has(sessionId)) return;
    this.running.set(sessionId, () => undefined);
    this.waiting.set(sessionId, new Promise((resolve) => this.done.set(sessionId, resolve)));
    await putJson(this.file(sessionId), ended).catch(() => undefined);
    const warnedAt = new Map<number, number>();
    const again = (): void => {
      void this.look(ended, warnedAt).then((isOver) => {
        if (!this.done.has(sessionId)) return;
        if (isOver) void this.over(ended);
        else this.running.set(sessionId, this.parts.clock.after(LOOK, again));
      });
    };
    again();
  }

  /** Resolves when nothing is left of every right that has been begun with; with `within`, then at the latest. */
  async untilOver(within?: DurationMs): Promise<void> {
    let cancel: CancelTimer | undefined;
    const late = new Promise<void>((resolve) => {
      if (within !== undefined) cancel = this.parts.clock.after(within, resolve);
    });
    await Promise.race([Promise.all(this.waiting.values()), late]);
    cancel?.();
  }

  /** Goes on with what an earlier process of this boot had begun; tokens of another boot are gone. */
  async resume(bootId: string): Promise<void> {
    for (const name of await readdir(this.parts.folder).catch(ignoreMissing<string[]>([]))) {
      const text = await readFile(path.join(this.parts.folder, name), 'utf8').catch(() => '');
      const note = readNote(text);
      if (note?.bootId === bootId) await this.begin(note);
      else await rm(path.join(this.parts.folder, name), { force: true });
    }
  }

  /** Leaves what is not done to the next process. */
  stop(): void {
    for (const cancel of this.running.values()) cancel();
    for (const resolve of this.done.values()) resolve();
    this.running.clear();
    this.done.clear();
    this.waiting.clear();
  }

  async clear(): Promise<void> {
    this.stop();
    for (const name of await readdir(this.parts.folder).catch(ignoreMissing<string[]>([])))
      await rm(path.join(this.parts.folder, name), { force: true });
    await rmdir(this.parts.folder).catch(() => undefined);
  }

  /** One look, and what follows from it. Gives whether nothing is left to do. */
  private async look({ sid, keep, sessionId }: EndedRight, warnedAt: Map<number, number>): Promise<boolean> {
    const { tokens, clock, isAdministrator, found } = this.parts;
    try {
      if (await isAdministrator(sid)) return true;
      const { processes, logons } = leftPower(sid, tokens.processes(), tokens.logons());
      if (keep) {
        if (processes.length + logons.length > 0)
          found('an account keeps tokens of an administrator by policy', {
            sessionId,
            sid,
            processes: processes.map(({ program, pid }) => `${program} (${pid})`),
            logons: logons.map(({ id }) => id),
          });
        return true;
      }
      for (const process of processes) {
        const status = tokens.terminate(process);
        found('an elevated process was ended', { sessionId, sid, program: process.program, pid: process.pid, status });
      }
      for (const { id } of logons) {
        const since = warnedAt.get(id);
        if (since === undefined) {
          warnedAt.set(id, clock.bootTime());
          await tokens.message(id, TITLE, WARNING);
        } else if (clock.bootTime() - since >= GRACE) {
          const status = await tokens.signOut(id);
          found('a logon with a token of an administrator was signed out', { sessionId, sid, logon: id, status });
        }
      }
      return processes.length + logons.length === 0;
    } catch (error) {
      found('what an ended right leaves could not be looked at, will try again', { sessionId, sid, error });
      return false;
    }
  }

  private async over({ sessionId }: EndedRight): Promise<void> {
    this.running.delete(sessionId);
    await rm(this.file(sessionId), { force: true }).catch(() => undefined);
    this.done.get(sessionId)?.();
    this.done.delete(sessionId);
    this.waiting.delete(sessionId);
  }

  private file(sessionId: string): string {
    return path.join(this.parts.folder, `${sessionId}.json`);
  }
}

const TITLE = 'Curfew';
const WARNING =
  'Your admin rights have ended. You signed in while you had them, so you will be signed out in one minute. ' +
  'Save your work now.';

function readNote(text: string): EndedRight | undefined {
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
