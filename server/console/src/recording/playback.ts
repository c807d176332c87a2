import { durationMs, type BootMs, type CancelTimer, type Clock } from '@curfew/shared/browser';
import { sizeFromCast, type CastEvent, type TerminalSize } from './asciicast.js';

/** The terminal that a recording is shown on. */
export interface Screen {
  /** Empties it, and gives it a size. */
  reset(size: TerminalSize): void;
  resize(size: TerminalSize): void;
  write(output: readonly string[]): void;
  /** Tells what was typed. */
  type(input: string): void;
}

/** `following`: at the end of what there is, and going on with what comes. */
export type PlaybackState = 'paused' | 'playing' | 'following' | 'ended';

export interface PlaybackPicture {
  readonly state: PlaybackState;
  readonly positionMs: number;
  /** Of what there is so far. */
  readonly durationMs: number;
}

/** What is shown moves on in steps of at least this length, and the position is told at least this often. */
const SHORTEST_STEP_MS = 16;
const LONGEST_STEP_MS = 200;

/**
 * Plays a recording that may still grow. The position is the time as it was recorded; a pause longer than the limit is
 * jumped over once the limit has passed. The screen may come later than the events, and may be another one later on.
 */
export class Playback {
  private readonly events: CastEvent[] = [];
  private readonly listeners = new Set<() => void>();
  private picture: PlaybackPicture;
  private screen: Screen | undefined;
  private next = 0;
  private position = 0;
  /** Where it was at the last jump or change: pauses are shortened only from there on. */
  private from = 0;
  private at: BootMs;
  private speed = 1;
  private idleLimitMs = Number.POSITIVE_INFINITY;
  /** Undefined while more may come. */
  private wholeMs: number | undefined;
  private cancelStep: CancelTimer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly size: TerminalSize,
    private state: PlaybackState,
  ) {
    this.at = clock.bootTime();
    this.picture = { state, positionMs: 0, durationMs: 0 };
  }

  readonly current = (): PlaybackPicture => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Shows it on a screen from now on, up to where it is. Undefined: on none. */
  showOn(screen: Screen | undefined): void {
    this.screen = screen;
    this.redraw();
  }

  /** More has come. */
  append(events: readonly CastEvent[]): void {
    for (const event of events) this.events.push(event);
    if (this.state === 'following') this.toEnd();
    else if (this.state === 'paused') this.show(this.position, false);
    this.tell();
  }

  /** Nothing more comes; it took so long as a whole. */
  finish(runTimeMs: number): void {
    this.wholeMs = Math.max(runTimeMs, this.lastMs());
    if (this.state === 'following') {
      this.toEnd();
      this.state = 'ended';
    }
    this.tell();
  }

  /** Goes on from where it is; from the start when it is at the end. */
  play(): void {
    if (this.state === 'playing' || this.state === 'following') return;
    if (this.state === 'ended') this.moveTo(0);
    this.state = 'playing';
    this.goOn();
  }

  pause(): void {
    if (this.state === 'playing') this.advance();
    this.stopStepping();
    if (this.state !== 'ended') this.state = 'paused';
    this.tell();
  }

  /** Jumps to a time. What was playing goes on from there. */
  seek(positionMs: number): void {
    const goesOn = this.state === 'playing' || this.state === 'following';
    this.stopStepping();
    this.moveTo(positionMs);
    const isAtEnd = this.wholeMs !== undefined && this.position >= this.wholeMs;
    this.state = isAtEnd ? 'ended' : goesOn ? 'playing' : 'paused';
    if (this.state === 'playing') this.goOn();
    else this.tell();
  }

  /** Jumps to the end, and goes on with what comes. */
  follow(): void {
    this.stopStepping();
    this.toEnd();
    this.state = this.wholeMs === undefined ? 'following' : 'ended';
    this.tell();
  }

  setSpeed(speed: number): void {
    if (this.state === 'playing') this.advance();
    this.speed = speed;
    if (this.state === 'playing') this.goOn();
  }

  /** Infinity: every pause is as long as it was. */
  setIdleLimit(ms: number): void {
    if (this.state === 'playing') this.advance();
    this.idleLimitMs = ms;
    if (this.state === 'playing') this.goOn();
  }

  /** Stops what would still be done. */
  close(): void {
    this.stopStepping();
    this.screen = undefined;
    this.listeners.clear();
  }

  private goOn(): void {
    this.from = this.position;
    this.at = this.clock.bootTime();
    this.step();
  }

  /** One step: shows what is due, and comes again when the next is. */
  private step(): void {
    this.stopStepping();
    this.advance();
    if (this.state === 'playing') {
      const rest = (this.dueMs() - this.position) / this.speed;
      const wait = Math.min(LONGEST_STEP_MS, Math.max(SHORTEST_STEP_MS, rest));
      this.cancelStep = this.clock.after(durationMs(wait), () => this.step());
    }
    this.tell();
  }

  /** Brings the position up to now. */
  private advance(): void {
    const now = this.clock.bootTime();
    this.position += (now - this.at) * this.speed;
    this.at = now;
    for (;;) {
      const due = this.dueMs();
      if (due > this.position) return;
      const atMs = this.events[this.next]?.atMs ?? this.wholeMs;
      if (atMs === undefined) {
        // All that there is has been shown, and more may come.
        this.position = this.lastMs();
        this.state = 'following';
        return;
      }
      // The pause before it may have been shortened: what is over counts from its real time on.
      this.position += Math.max(0, atMs - due);
      if (this.next >= this.events.length) {
        this.position = atMs;
        this.state = 'ended';
        return;
      }
      this.show(atMs, true);
    }
  }

  /** The position at which the next event, or the end, is due: its time, or sooner where the pause before it is long. */
  private dueMs(): number {
    const before = this.events[this.next - 1]?.atMs ?? 0;
    const atMs = this.events[this.next]?.atMs ?? this.wholeMs ?? before;
    return Math.min(atMs, Math.max(before + this.idleLimitMs, this.from));
  }

  private toEnd(): void {
    this.show(Number.POSITIVE_INFINITY, false);
    this.position = this.wholeMs ?? this.lastMs();
  }

  private moveTo(positionMs: number): void {
    const wanted = Math.min(Math.max(0, positionMs), this.wholeMs ?? this.lastMs());
    const isBack = wanted < this.position;
    this.position = wanted;
    if (isBack) this.redraw();
    else this.show(wanted, false);
  }

  /** Shows everything again, up to where it is. */
  private redraw(): void {
    this.next = 0;
    this.screen?.reset(this.size);
    this.show(this.position, false);
  }

  /** Shows what is left up to a time. Only what is played tells what was typed: after a jump it would be a heap. */
  private show(untilMs: number, isPlayed: boolean): void {
    let output: string[] = [];
    const flush = (): void => {
      if (output.length > 0) this.screen?.write(output);
      output = [];
    };
    for (let event = this.events[this.next]; event !== undefined && event.atMs <= untilMs;) {
      if (event.code === 'o') output.push(event.data);
      else if (event.code === 'r') {
        flush();
        const size = sizeFromCast(event.data);
        if (size !== undefined) this.screen?.resize(size);
      } else if (event.code === 'i' && isPlayed) this.screen?.type(event.data);
      event = this.events[++this.next];
    }
    flush();
  }

  private lastMs(): number {
    return this.events.at(-1)?.atMs ?? 0;
  }

  private stopStepping(): void {
    this.cancelStep?.();
    this.cancelStep = undefined;
  }

  private tell(): void {
    const duration = this.wholeMs ?? this.lastMs();
    this.picture = { state: this.state, positionMs: Math.min(this.position, duration), durationMs: duration };
    for (const listener of this.listeners) listener();
  }
}
