import type { CancelTimer, Clock } from '@curfew/shared/browser';
import type { ApiError } from '../api/api-error.js';
import { watch, type WatchParts } from '../api/watch.js';
import type { RecordedEventJson, RecordingJson, WatchRecordingResponseJson } from '../gen/api.js';
import { durationFromProto } from '../model/proto-json.js';
import { CastConverter, castFile, sizeAtStart, type CastEvent } from './asciicast.js';
import { Playback } from './playback.js';
import { ShownText } from './shown-text.js';

/** More than this the page does not hold: letters of output and input. */
const MOST_LETTERS = 100_000_000;

/** `whole`: everything is here. `cut`: there is more than the page can hold. */
export type FeedState = 'connecting' | 'live' | 'broken' | 'refused' | 'whole' | 'cut';

export interface FeedPicture {
  readonly state: FeedState;
  /** Why it was refused. */
  readonly error: ApiError | undefined;
  /** What is known of the recording; undefined until the server has said. */
  readonly recording: RecordingJson | undefined;
  /** Undefined like `recording`. */
  readonly playback: Playback | undefined;
  /** Grows with every event. */
  readonly eventCount: number;
}

/** What a feed needs, and whom it tells that its link is broken. */
export interface FeedParts extends WatchParts {
  readonly clock: Clock;
  readonly nextFrame: (fn: () => void) => void;
  readonly onBroken: (isBroken: boolean) => void;
  /** Another limit than MOST_LETTERS, for tests. */
  readonly mostLetters?: number;
}

/** A recording as it comes from the server: played, searched and kept. Reconnects, and takes nothing twice. */
export class RecordingFeed {
  /** What was shown, for searches. */
  readonly text = new ShownText();
  private readonly converter = new CastConverter();
  private readonly events: CastEvent[] = [];
  private readonly listeners = new Set<() => void>();
  private picture: FeedPicture = {
    state: 'connecting',
    error: undefined,
    recording: undefined,
    playback: undefined,
    eventCount: 0,
  };
  /** Events that the converter has read, and those that the present stream has brought. */
  private read = 0;
  private arrived = 0;
  private letters = 0;
  private stopWatch: CancelTimer | undefined;
  private isTold = true;

  constructor(
    private readonly parts: FeedParts,
    private readonly id: string,
  ) {}

  readonly current = (): FeedPicture => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Begins to ask. */
  start(): void {
    this.stopWatch = watch(
      this.parts,
      'RecordingService/WatchRecording',
      { recordingId: this.id },
      {
        onStart: () => {
          this.arrived = 0;
        },
        onMessage: (message) => this.take(message),
        onState: (state, error) => {
          this.parts.onBroken(state === 'broken');
          if (state === 'over') this.end();
          else this.change({ state, error });
          if (state === 'refused') this.picture.playback?.finish(0);
        },
        isOver: () => this.isOver(),
        // It is damaged, or was deleted meanwhile; every try would be another look in the audit log.
        isFinal: ({ code }) => code.startsWith('RECORDING_'),
      },
    );
  }

  stop(): void {
    this.stopWatch?.();
    this.parts.onBroken(false);
    this.picture.playback?.close();
    this.listeners.clear();
  }

  /** What there is so far as a file of the form asciicast v2. */
  file(): string {
    return castFile(this.picture.recording ?? {}, this.events);
  }

  private isOver(): boolean {
    const { recording } = this.picture;
    return recording !== undefined && recording.state !== 'RECORDING_STATE_RUNNING';
  }

  private take({ recording, events = [] }: WatchRecordingResponseJson): void {
    if (this.picture.state === 'cut') return;
    if (recording !== undefined) this.know(recording);
    // After a reconnect the server begins at the start: what is known already is passed by.
    const fresh = events.slice(Math.max(0, this.read - this.arrived));
    this.arrived += events.length;
    this.add(fresh);
    if (this.letters > (this.parts.mostLetters ?? MOST_LETTERS)) {
      this.stopWatch?.();
      this.picture.playback?.finish(0);
      this.change({ state: 'cut' });
    }
  }

  private know(recording: RecordingJson): void {
    const isRunning = recording.state === 'RECORDING_STATE_RUNNING';
    const playback =
      this.picture.playback ??
      new Playback(this.parts.clock, sizeAtStart(recording), isRunning ? 'following' : 'paused');
    this.change({ recording, playback });
  }

  private add(events: readonly RecordedEventJson[]): void {
    if (events.length === 0) return;
    this.read += events.length;
    this.keep(events.flatMap((event) => this.converter.push(event)));
  }

  private keep(events: readonly CastEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.text.push(event);
      this.letters += event.data.length;
    }
    this.picture.playback?.append(events);
    this.change({ eventCount: this.events.length });
  }

  private end(): void {
    this.keep(this.converter.end());
    this.picture.playback?.finish(durationFromProto(this.picture.recording?.runTime) ?? 0);
    this.change({ state: 'whole' });
  }

  /** Tells at most once per frame. */
  private change(changes: Partial<FeedPicture>): void {
    this.picture = { ...this.picture, ...changes };
    if (!this.isTold) return;
    this.isTold = false;
    this.parts.nextFrame(() => {
      this.isTold = true;
      for (const listener of this.listeners) listener();
    });
  }
}
