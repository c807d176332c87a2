import { CurfewError, type Clock } from '@curfew/shared';
import { mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { ignoreMissing } from './json-file.js';
import { taskXml } from './task-xml.js';

const GRACE_MS = 1_000;
const SESSION_FILE = /^(ses-[0-9a-z]{20})\.xml$/;

export interface TaskRemoverParts {
  readonly runner: CommandRunner;
  readonly clock: Clock;
  /** schtasks.exe, by its whole path. */
  readonly schtasks: string;
  /** Where the texts of tasks are kept: one that is there may be armed. */
  readonly folder: string;
  /** Part of the tasks' names: another agent of the machine has other tasks. */
  readonly mark: string;
  /** What runs this program, up to the name of its command. */
  readonly program: readonly string[];
}

/** A task of Task Scheduler for each right, which runs as LocalSystem and needs no agent that runs. */
export class TaskRemover {
  readonly kind = 'scheduled-task';

  constructor(private readonly parts: TaskRemoverParts) {}

  /** Replaces an earlier arming of the session in one step. Errors: REMOVER_UNAVAILABLE. */
  async arm({ sessionId, deadline, wallEnd }: Pick<GrantOrder, 'sessionId' | 'deadline' | 'wallEnd'>): Promise<void> {
    const { clock, program: argv } = this.parts;
    const [program = '', ...args] = argv;
    // Task Scheduler knows the wall clock alone.
    const end = Math.min(wallEnd, clock.now() + (deadline - clock.bootTime()));
    const xml = taskXml({
      description: `Curfew: removes the right of session ${sessionId}`,
      // Whole seconds, never before the end.
      at: new Date(Math.ceil((end + GRACE_MS) / 1000) * 1000),
      program,
      args: [...args, 'remove-membership', sessionId],
    });
    const file = this.file(sessionId);
    try {
      await mkdir(this.parts.folder, { recursive: true });
      await writeFile(file, `\ufeff${xml}`, 'utf16le');
    } catch (error) {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    }
    await this.must(['/Create', '/TN', this.name(sessionId), '/XML', file, '/F']);
  }

  async armed(): Promise<readonly string[]> {
    const names = await readdir(this.parts.folder).catch(ignoreMissing<string[]>([]));
    return names.flatMap((name) => SESSION_FILE.exec(name)?.[1] ?? []);
  }

  /** What schtasks says about a task that is not there is in the machine's language, so it is asked for first. */
  async disarm(sessionId: string): Promise<void> {
    const name = this.name(sessionId);
    const asked = await this.run(['/Query', '/TN', name]);
    if (asked.exitCode === 0) await this.must(['/Delete', '/TN', name, '/F']);
    await rm(this.file(sessionId), { force: true });
  }

  async clear(): Promise<void> {
    for (const sessionId of await this.armed()) await this.disarm(sessionId);
    await rmdir(this.parts.folder).catch(() => undefined);
  }

  private name(sessionId: string): string {
    return `\\Curfew\\${this.parts.mark}-remove-${sessionId}`;
  }

  private file(sessionId: string): string {
    return path.join(this.parts.folder, `${sessionId}.xml`);
  }

  private async must(args: readonly string[]): Promise<void> {
    const { exitCode, stdout, stderr } = await this.run(args);
    if (exitCode !== 0)
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: `schtasks ${args[0]}: ${(stderr || stdout).trim()}` });
  }

  private run(args: readonly string[]) {
    return this.parts.runner.run(this.parts.schtasks, args, { timeoutMs: 20_000 }).catch((error: unknown) => {
      throw new CurfewError('REMOVER_UNAVAILABLE', { detail: String(error) }, { cause: error });
    });
  }
}
