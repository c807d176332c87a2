import type { SudoEvent } from '../sudo-log/client-message.js';
import { bytesField, framed, numberField, timeMessage } from '../sudo-log/wire-writing.js';

/** An event as it is kept: what sudo has said, or that something was left out. */
export type RecordedEvent = SudoEvent | { readonly kind: 'lost_bytes'; readonly count: number };

/** The fields of curfew.types.v1.RecordedEvent, written by hand: the follower does without the generated code and gRPC. */
const DATA_FIELDS = {
  terminal_output: 2,
  standard_output: 3,
  standard_error: 4,
  terminal_input: 5,
  standard_input: 6,
} as const;
const [DELAY, WINDOW_SIZE, SUSPENSION, LOST_BYTES] = [1, 7, 8, 9];

/** Longer output becomes several events, so that every frame is short. */
const LONGEST_DATA = 65_536;
/** No frame is longer: the data, and a few numbers. */
const LONGEST_FRAME = LONGEST_DATA + 64;
/** Ten years: curfew.types.v1.Recording has none that runs longer. */
const LONGEST_DELAY_NS = 315_360_000n * 1_000_000_000n;

/** An event in frames, each after its length; an event without bytes is none. */
export function eventFrames(delayNs: bigint, event: RecordedEvent): Buffer {
  if (!('data' in event)) return frame(delayNs, contentOf(event));
  const frames: Buffer[] = [];
  for (let at = 0; at < event.data.length; at += LONGEST_DATA) {
    const data = event.data.subarray(at, at + LONGEST_DATA);
    frames.push(frame(at === 0 ? delayNs : 0n, bytesField(DATA_FIELDS[event.kind], data)));
  }
  return Buffer.concat(frames);
}

function contentOf(event: Exclude<RecordedEvent, { data: Buffer }>): Buffer {
  switch (event.kind) {
    case 'window_size':
      return bytesField(
        WINDOW_SIZE,
        Buffer.concat([numberField(1, BigInt(event.columns)), numberField(2, BigInt(event.lines))]),
      );
    case 'suspension':
      return bytesField(SUSPENSION, Buffer.from(event.signal));
    case 'lost_bytes':
      return numberField(LOST_BYTES, BigInt(event.count));
  }
}

const frame = (delayNs: bigint, content: Buffer): Buffer =>
  framed(
    Buffer.concat([bytesField(DELAY, timeMessage(delayNs > LONGEST_DELAY_NS ? LONGEST_DELAY_NS : delayNs)), content]),
  );

/**
 * How many of the bytes are whole frames, beginning with the first. What follows is cut short, or was never written: a disk
 * that lost its power may give zeros.
 */
export function wholeFrames(bytes: Buffer): number {
  let at = 0;
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (length === 0 || length > LONGEST_FRAME || at + 4 + length > bytes.length) break;
    at += 4 + length;
  }
  return at;
}

/** How many bytes hold at least one whole frame. */
export const ONE_FRAME = LONGEST_FRAME + 4;
