import { randomBytes } from 'node:crypto';
import type { DeviceProcess } from './device-process.js';
import { eventually } from './wait.js';

/** What a command typed into a shell answered. */
export interface ShellAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A person's shell that stays open: one process from the first command to the last, so it keeps its kernel groups. */
export class DeviceShell {
  private last: Promise<unknown> = Promise.resolve();

  constructor(readonly process: DeviceProcess) {}

  /** Types a command and gives its answer. Commands wait for the ones typed before. */
  run(command: string, withinMs = 10_000): Promise<ShellAnswer> {
    const answer = this.last.then(() => this.type(command, withinMs));
    this.last = answer.catch(() => undefined);
    return answer;
  }

  private async type(command: string, withinMs: number): Promise<ShellAnswer> {
    const mark = `done-${randomBytes(8).toString('hex')}`;
    const { process } = this;
    const outFrom = process.stdout.length;
    const errFrom = process.stderr.length;
    process.write(`{ ${command}\n} </dev/null; curfew_rc=$?; echo ${mark} $curfew_rc; echo ${mark} $curfew_rc >&2\n`);
    const pattern = new RegExp(`${mark} (\\d+)\\n`);
    const answer = await eventually(
      () => {
        const out = pattern.exec(process.stdout.slice(outFrom));
        const err = pattern.exec(process.stderr.slice(errFrom));
        if (out && err) {
          return {
            exitCode: Number(out[1]),
            stdout: process.stdout.slice(outFrom, outFrom + out.index),
            stderr: process.stderr.slice(errFrom, errFrom + err.index),
          };
        }
        return process.end ? ('ended' as const) : undefined;
      },
      { withinMs, everyMs: 2, what: `an answer to '${command}'` },
    );
    if (answer === 'ended') throw new Error(`the shell ended at '${command}': ${process.stderr}`);
    return answer;
  }

  /** Logs out. */
  async close(): Promise<void> {
    this.process.endInput('exit\n');
    await this.process.ended;
  }
}
