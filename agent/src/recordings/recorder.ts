import { durationMs, type Clock, type Logger } from '@curfew/shared';
import type { RecordingTerms } from '../ports/privilege-host.js';
import type { CommandExit, SudoEvent } from '../sudo-log/client-message.js';
import type { SudoCall } from '../sudo-log/sudo-call.js';
import { eventFrames } from './recorded-event.js';
import type { RecordingHead } from './recording-head.js';
import type { RecordingSpool, SpooledRecording } from './recording-spool.js';
import { TypedSecrets } from './typed-secrets.js';

export interface RecorderParts {
  readonly id: string;
  readonly sessionId: string;
  readonly terms: RecordingTerms;
  readonly spool: Pick<RecordingSpool, 'begin'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once when something could not be kept that has to be. */
  readonly failed: () => void;
  /** Called once when the call is over. */
  readonly over: () => void;
}

/** Events that are written together. */
interface Batch {
  readonly frames: Buffer[];
  /** The bytes of the frames, and of what they carry. */
  size: number;
  dataBytes: number;
  delayNs: bigint;
}

/** How long small writes are collected, and how much at the most. */
const [COLLECT, MOST_COLLECTED] = [durationMs(100), 256 * 1024];
/** Ten years, see curfew.types.v1.Recording. */
const LONGEST_RUN_MS = 315_360_000_000;

/** Records one call of sudo: from what it says to the recording on the disk. Everything after `begin` comes in its order. */
export class Recorder {
  private head: RecordingHead | undefined;
  private spooled: SpooledRecording | undefined;
  private batch = emptyBatch();
  private stopTimer: (() => void) | undefined;
  /** Delays of what is not kept count for what comes next. */
  private delayNs = 0n;
  private lost = { count: 0, delayNs: 0n };
  private work: Promise<void> = Promise.resolve();
  private inFlight = 0;
  private ended: Promise<void> | undefined;
  private hasFailed = false;
  private readonly secrets = new TypedSecrets();

  constructor(private readonly parts: RecorderParts) {}

  /** How many bytes wait for the disk. */
  get pending(): number {
    return this.batch.size + this.inFlight;
  }

  /** Resolves once what has come up to now is on the disk, or lost. */
  drained(): Promise<void> {
    this.flush();
    return this.work;
  }

  /** sudo is about to run a command. Call once, and first. */
  begin(call: SudoCall): void {
    this.open(call, 'running', '');
  }

  /** sudo has refused to run a command: that is all there is to tell of it. */
  refuse(call: SudoCall, reason: string): void {
    this.open(call, 'refused', reason);
    this.ended = this.work.then(() => this.spooled?.close());
    this.parts.over();
  }

  /** Something has happened. What the terms do not ask for is left out. */
  event(delayNs: bigint, event: SudoEvent): void {
    this.delayNs += delayNs;
    for (const kept of this.kept(event)) this.add(kept);
  }

  private add(kept: SudoEvent): void {
    const frames = eventFrames(this.delayNs, kept);
    if (frames.length === 0) return;
    const { batch } = this;
    batch.frames.push(frames);
    batch.size += frames.length;
    batch.dataBytes += 'data' in kept ? kept.data.length : 0;
    batch.delayNs += this.delayNs;
    this.delayNs = 0n;
    if (batch.size >= MOST_COLLECTED) this.flush();
    else
      this.stopTimer ??= this.parts.clock.after(COLLECT, () => {
        this.flush();
      });
  }

  /** The command has ended, and sudo has said how; or, without `exit`, sudo has gone. The first call counts. Resolves once it is kept. */
  end(exit?: CommandExit): Promise<void> {
    if (this.ended === undefined) this.parts.over();
    this.ended ??= this.close(exit);
    return this.ended;
  }

  private open(call: SudoCall, state: 'running' | 'refused', error: string): void {
    const { id, sessionId, terms, spool, clock, logger } = this.parts;
    const facts = { id, sessionId, mode: terms.mode, startMs: clock.now() };
    const head = { ...facts, ...call, arguments: [...call.arguments], state, error, ...NOT_YET };
    this.head = head;
    this.work = spool.begin(head).then(
      (spooled) => {
        this.spooled = spooled;
      },
      (cause: unknown) => {
        logger.warn('a command is not recorded', { recordingId: id, sessionId, error: cause });
        this.fail();
      },
    );
  }

  /** What of an event is kept, and what was typed before it and can be kept only now. */
  private kept(event: SudoEvent): SudoEvent[] {
    const { mode } = this.parts.terms;
    if (mode === 'commands') return [];
    const withInput = mode === 'input_and_output';
    switch (event.kind) {
      case 'terminal_output':
        return withInput ? [{ kind: 'terminal_input', data: this.secrets.shown(event.data) }, event] : [event];
      case 'terminal_input':
        return withInput ? [{ ...event, data: this.secrets.kept(event.data) }] : [];
      case 'standard_input':
        return withInput ? [event] : [];
      case 'standard_output':
      case 'standard_error':
      case 'window_size':
      case 'suspension':
        return [event];
    }
  }

  private flush(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    if (this.batch.size === 0) return;
    const { batch } = this;
    this.batch = emptyBatch();
    this.inFlight += batch.size;
    this.work = this.work.then(() => this.write(batch)).finally(() => (this.inFlight -= batch.size));
  }

  private async write(batch: Batch): Promise<void> {
    // Nothing was begun, so there is nowhere to say what is lost.
    if (this.spooled === undefined) return;
    const frames = [...this.lossFrames(), ...batch.frames];
    if (await this.spooled.append(Buffer.concat(frames))) {
      this.lost = { count: 0, delayNs: 0n };
      return;
    }
    this.lost = { count: this.lost.count + batch.dataBytes, delayNs: this.lost.delayNs + batch.delayNs };
    if (this.head === undefined) return;
    const isFirst = this.head.lostBytes === 0;
    this.head = { ...this.head, lostBytes: this.head.lostBytes + batch.dataBytes };
    if (isFirst) await this.spooled.setHead(this.head);
    this.fail();
  }

  /** What was left out before the next thing that is kept. */
  private lossFrames(): Buffer[] {
    const { count, delayNs } = this.lost;
    return count === 0 ? [] : [eventFrames(delayNs, { kind: 'lost_bytes', count })];
  }

  private fail(): void {
    if (this.hasFailed) return;
    this.hasFailed = true;
    if (this.parts.terms.required) this.parts.failed();
  }

  private async close(exit: CommandExit | undefined): Promise<void> {
    await this.drained();
    if (this.spooled === undefined || this.head === undefined) return;
    const [loss] = this.lossFrames();
    if (loss !== undefined) await this.spooled.append(loss, 'last');
    await this.spooled.setHead(exit === undefined ? { ...this.head, state: 'cut_short' } : endedHead(this.head, exit));
    await this.spooled.close();
  }
}

const emptyBatch = (): Batch => ({ frames: [], size: 0, dataBytes: 0, delayNs: 0n });

const NOT_YET = { exitStatus: 0, signal: '', lostBytes: 0 };

const endedHead = (head: RecordingHead, { runNs, exitStatus, signal, error }: CommandExit): RecordingHead => ({
  ...head,
  state: 'complete',
  runTimeMs: Math.min(LONGEST_RUN_MS, Number(runNs / 1_000_000n)),
  exitStatus,
  signal,
  error,
});
