/** Where recorded bytes went to or came from. */
export const RECORDED_STREAMS = [
  'terminal_output',
  'standard_output',
  'standard_error',
  'terminal_input',
  'standard_input',
] as const;
export type RecordedStream = (typeof RECORDED_STREAMS)[number];

/** One thing that happened while a command ran: a RecordedEvent, whichever way it came. */
export type RecordedMoment = {
  /** How long after the moment before it; for the first, after the start. Parts of a millisecond count. */
  readonly delayMs: number;
} & (
  | { readonly kind: RecordedStream; readonly bytes: Uint8Array }
  | { readonly kind: 'window_size'; readonly columns: number; readonly lines: number }
  /** The signal's name, such as 'TSTP'. Hostile text. */
  | { readonly kind: 'suspension'; readonly signal: string }
  | { readonly kind: 'lost_bytes'; readonly count: number }
);

/** What a file says of its recording. */
export interface AsciicastHead {
  /** The size of the terminal at the start; 0 without one, which is shown as 80 times 24. */
  readonly columns: number;
  readonly lines: number;
  readonly startedAtMs: number;
  /** The command line. Hostile text, as a player gets it. */
  readonly command: string;
}

/** Seconds since the start, a code, and what goes with it (docs.asciinema.org, asciicast v2). */
export type AsciicastEvent = readonly [seconds: number, code: 'o' | 'i' | 'r' | 'm', data: string];

type Decoder = InstanceType<typeof TextDecoder>;

/** The first line of a file, as an object. */
export const asciicastHeader = ({ columns, lines, startedAtMs, command }: AsciicastHead) => ({
  version: 2 as const,
  width: columns > 0 ? columns : 80,
  height: lines > 0 ? lines : 24,
  timestamp: Math.floor(startedAtMs / 1000),
  ...(command === '' ? {} : { command }),
});

/**
 * Turns the moments of one recording, in their order, into asciicast v2. The format is JSON and so holds characters, not
 * bytes: valid UTF-8 is kept byte for byte, also where a character was written in pieces (it then stands at its last
 * one); each part that is no UTF-8 becomes U+FFFD. What pipes got has its lone line feeds made whole lines, as a terminal
 * would have shown them. Runs in browsers too.
 */
export class AsciicastWriter {
  private elapsedMs = 0;
  private readonly decoders = new Map<RecordedStream, Decoder>();
  /** Whether the last character of a pipe was a carriage return. */
  private readonly afterReturn = new Set<RecordedStream>();

  /** How many seconds into the recording the last moment was. */
  get seconds(): number {
    return Math.round(this.elapsedMs * 1000) / 1_000_000;
  }

  /** The events of the next moment: none while a character is not whole. */
  add(moment: RecordedMoment): AsciicastEvent[] {
    this.elapsedMs += Math.max(0, moment.delayMs);
    const at = this.seconds;
    switch (moment.kind) {
      case 'window_size':
        return [[at, 'r', `${moment.columns}x${moment.lines}`]];
      case 'suspension':
        return [[at, 'm', moment.signal === 'CONT' ? 'goes on' : `suspended: ${moment.signal}`]];
      case 'lost_bytes':
        return [[at, 'm', `${moment.count} bytes were not kept`]];
      default:
        return this.text(moment.kind, this.decoderOf(moment.kind).decode(moment.bytes, { stream: true }));
    }
  }

  /** What is left at the end: characters that never became whole. */
  end(): AsciicastEvent[] {
    return [...this.decoders].flatMap(([stream, decoder]) => this.text(stream, decoder.decode()));
  }

  private text(stream: RecordedStream, text: string): AsciicastEvent[] {
    if (text === '') return [];
    if (stream === 'terminal_input' || stream === 'standard_input') return [[this.seconds, 'i', text]];
    return [[this.seconds, 'o', stream === 'terminal_output' ? text : this.wholeLines(stream, text)]];
  }

  private wholeLines(stream: RecordedStream, text: string): string {
    const before = this.afterReturn.has(stream) ? '\r' : '';
    if (text.endsWith('\r')) this.afterReturn.add(stream);
    else this.afterReturn.delete(stream);
    return (before + text).replace(/(?<!\r)\n/g, '\r\n').slice(before.length);
  }

  private decoderOf(stream: RecordedStream): Decoder {
    // A byte order mark is a character like others here, and is kept.
    const decoder = this.decoders.get(stream) ?? new TextDecoder('utf-8', { ignoreBOM: true });
    this.decoders.set(stream, decoder);
    return decoder;
  }
}
