import type { Clock, Logger } from '@curfew/shared';
import type { CalledSudo } from '../processes/follower.js';
import type { FollowedSession } from '../processes/session-members.js';
import { Recorder } from './recorder.js';
import type { RecordingSpool } from './recording-spool.js';

export interface CommandRecordersParts {
  readonly spool: Pick<RecordingSpool, 'begin'>;
  readonly newId: () => string;
  /** Ends what a sudo runs, see `endCommand`. */
  readonly endProcesses: (sudo: CalledSudo) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A command that is being recorded. */
interface RunningCommand {
  readonly recorder: Recorder;
  readonly sudo: CalledSudo;
  /** Has sudo end it, and show why. */
  readonly abort: (why: string) => void;
  isEnding: boolean;
}

/** The commands that are being recorded now, by recording, and how one of them is ended. */
export class CommandRecorders {
  private readonly running = new Map<string, RunningCommand>();

  constructor(private readonly parts: CommandRecordersParts) {}

  /** What records a call of sudo; undefined where its session has nothing recorded. `abort` has sudo end its command. */
  record(sudo: CalledSudo, session: FollowedSession, abort: (why: string) => void): Recorder | undefined {
    const { sessionId, recording: terms } = session;
    if (terms === undefined) return undefined;
    const { spool, clock, logger } = this.parts;
    const id = this.parts.newId();
    const recorder = new Recorder({
      ...{ id, sessionId, terms, spool, clock, logger },
      failed: () => {
        this.end(id, 'Curfew: there is no room left on this device to record this command');
      },
      over: () => this.running.delete(id),
    });
    this.running.set(id, { recorder, sudo, abort, isEnding: false });
    return recorder;
  }

  /** Ends a command: through its sudo, and its processes by signals. Nothing happens when it does not run, or is being ended. */
  end(recordingId: string, why: string): void {
    const command = this.running.get(recordingId);
    if (command === undefined || command.isEnding) return;
    command.isEnding = true;
    const { endProcesses, logger } = this.parts;
    logger.info('a command is ended', { recordingId, why });
    command.abort(why);
    void endProcesses(command.sudo).catch((error: unknown) => {
      logger.error('the processes of a command could not be ended', { recordingId, error });
    });
  }

  /** Whether a command is being recorded. */
  get areBusy(): boolean {
    return this.running.size > 0;
  }

  /** Resolves once what has come up to now is on the disk, or lost. */
  async drained(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ recorder }) => recorder.drained()));
  }
}
