import { AppendRecordingRequest } from '@curfew/proto';
import { CurfewError, durationMs, type Clock, type Logger } from '@curfew/shared';
import type { SpoolReader, WaitingRecording } from '../recordings/spool-reader.js';
import { recordingToProto } from './recording-to-proto.js';
import type { ServerLink } from './server-link.js';

export interface RecordingUploadParts {
  readonly spool: Pick<SpoolReader, 'list' | 'read' | 'dropBefore' | 'remove'>;
  readonly link: Pick<ServerLink, 'linked' | 'call'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the server is known to have of a recording. */
interface Told {
  /** How many bytes of its events. */
  readonly size: number;
  /** The head that it was last told. */
  head: string;
}

/** How often it is looked what is new, while there is something and while there is nothing: a device sleeps longer then. */
const [LOOK, IDLE_LOOK] = [durationMs(300), durationMs(1_000)];
/** How much is sent in one call: less over a link that is too slow for it. */
const [MOST_AT_ONCE, LEAST_AT_ONCE] = [512 * 1024, 16 * 1024];
/** What is sent without asking before what the server has of it. */
const LITTLE = 32 * 1024;
/** The server does not want a recording, and will not: a ledger that was restored does not know its session, for one. */
const UNWANTED: ReadonlySet<string> = new Set(['SESSION_NOT_FOUND', 'RECORDING_INVALID']);

/**
 * Brings recordings to the server while they are made: each in its turn, from where the server says that it is, until it has
 * all of it; then the device forgets it. What is not taken, for want of a link or else, is sent again.
 */
export class RecordingUpload {
  private atOnce = MOST_AT_ONCE;
  private readonly told = new Map<string, Told>();
  private readonly unwanted = new Set<string>();
  /** Of which the server can take no more events, and how many bytes it has: it is only told how they go on and end. */
  private readonly closed = new Map<string, number>();
  private stopLooking = (): void => undefined;
  private stopped = false;
  private isIdle = true;

  constructor(private readonly parts: RecordingUploadParts) {}

  start(): void {
    if (this.stopped) return;
    this.stopLooking = this.parts.clock.after(this.isIdle ? IDLE_LOOK : LOOK, () => {
      void this.look().finally(() => {
        this.start();
      });
    });
  }

  stop(): void {
    this.stopped = true;
    this.stopLooking();
  }

  /** Sends what there is to send, a part of each recording after the other, until nothing is new or the link is gone. */
  async look(): Promise<void> {
    const { spool } = this.parts;
    const failed = new Set<string>();
    for (let progress = true; progress && this.mayGoOn();) {
      progress = false;
      const waiting = await spool.list();
      this.isIdle = waiting.length === 0;
      this.forgetAllBut(waiting);
      for (const recording of waiting) {
        const { id } = recording.head;
        if (failed.has(id) || !this.mayGoOn()) continue;
        try {
          if (await this.tell(recording)) progress = true;
        } catch (error) {
          failed.add(id);
          this.failed(id, error);
        }
      }
    }
  }

  private mayGoOn(): boolean {
    return this.parts.link.linked && !this.stopped;
  }

  /** Whether the server has taken it is not known: it is sent again, and what it has already it leaves out. */
  private failed(id: string, error: unknown): void {
    const told = this.told.get(id);
    if (told !== undefined) told.head = '';
    // A part that takes too long is never taken, however often it is sent.
    this.atOnce = Math.max(LEAST_AT_ONCE, this.atOnce / 2);
    this.parts.logger.warn('a recording could not be sent, will try again', { recordingId: id, error });
  }

  /** Sends one part of one recording. Gives whether the server has more of it than before. */
  private async tell(recording: WaitingRecording): Promise<boolean> {
    const { head, from, end } = recording;
    const { spool } = this.parts;
    const { id } = head;
    const text = JSON.stringify(head);
    const isOver = head.state !== 'running';
    if (this.unwanted.has(id)) return this.drop(id, end, isOver);
    const told = this.told.get(id);
    const size = told?.size;
    if (size !== undefined && size < from) this.close(id, size, `the server has lost what it had before ${from}`);
    const closedAt = this.closed.get(id);
    if (closedAt !== undefined) return this.tellEnd(recording, closedAt);
    // First it is asked how much it has, unless all of it is little: then it is sent at once.
    const start = size ?? (from === 0 && end <= LITTLE ? 0 : end);
    const events = start >= end ? NOTHING : await spool.read(id, start, this.atOnce);
    if (told !== undefined && events.length === 0 && told.head === text) return false;
    const now = await this.append(head, size ?? 0, events, end);
    if (now === undefined) return false;
    this.told.set(id, { size: now, head: text });
    if (isOver && now >= end) await spool.remove(id);
    else await spool.dropBefore(id, now);
    return now !== size;
  }

  /** Gives how much the server has; undefined when it does not want the recording. Errors: it did not take it. */
  private async append(
    head: WaitingRecording['head'],
    offset: number,
    events: Buffer,
    end: number,
  ): Promise<number | undefined> {
    const request = AppendRecordingRequest.fromPartial({
      recording: recordingToProto(head),
      offset: BigInt(offset),
      events,
      totalSize: BigInt(end),
    });
    try {
      const { size } = await this.parts.link.call((client) => client.appendRecording.bind(client), request);
      if (events.length > 0) this.atOnce = Math.min(MOST_AT_ONCE, this.atOnce * 2);
      return Number(size);
    } catch (error) {
      if (!(error instanceof CurfewError)) throw error;
      const { code } = error;
      if (code === 'RECORDING_TOO_LONG') this.close(head.id, offset, code);
      else if (!UNWANTED.has(code)) throw error;
      else {
        this.unwanted.add(head.id);
        this.parts.logger.warn('a recording is dropped, for the server does not take it', {
          recordingId: head.id,
          code,
        });
      }
      return undefined;
    }
  }

  private close(id: string, size: number, why: string): void {
    if (this.closed.has(id)) return;
    this.closed.set(id, size);
    this.parts.logger.warn('the rest of a recording is dropped', { recordingId: id, size, why });
  }

  /** Says what is new of a recording without its events, and drops those. */
  private async tellEnd({ head, end }: WaitingRecording, size: number): Promise<false> {
    const isOver = head.state !== 'running';
    const text = JSON.stringify(head);
    if (isOver || this.told.get(head.id)?.head !== text) {
      await this.append({ ...head, lostBytes: head.lostBytes + end - size }, size, NOTHING, size);
      this.told.set(head.id, { size, head: text });
    }
    return this.drop(head.id, end, isOver);
  }

  /** What nobody wants takes no room. While its command runs, there is still somebody who writes it. */
  private async drop(id: string, end: number, isOver: boolean): Promise<false> {
    const { spool } = this.parts;
    if (isOver) await spool.remove(id);
    else await spool.dropBefore(id, end);
    return false;
  }

  private forgetAllBut(waiting: readonly WaitingRecording[]): void {
    const ids = new Set(waiting.map(({ head }) => head.id));
    for (const id of this.told.keys()) if (!ids.has(id)) this.told.delete(id);
    for (const id of this.unwanted) if (!ids.has(id)) this.unwanted.delete(id);
    for (const id of this.closed.keys()) if (!ids.has(id)) this.closed.delete(id);
  }
}

const NOTHING = Buffer.alloc(0);
