import { nextTurn } from '../next-turn.js';
import type { Frames } from './recording.js';

/** A length before each message: four bytes, big endian. */
const LENGTH_BYTES = 4;
/** How many messages are looked at before others get their turn. */
const AT_ONCE = 2_000;

/** What is wrong with a message; undefined when nothing is. */
export type FrameProblem = (message: Buffer) => string | undefined;

/**
 * Takes a part of a recording's events apart. Gives what is wrong with it, in words, when a message is not whole or is
 * not right. A part with many messages takes several turns of the event loop.
 */
export async function framesOf(bytes: Buffer, problemOf: FrameProblem): Promise<Frames | string> {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; at = ends.at(-1) ?? bytes.length) {
    const begin = at + LENGTH_BYTES;
    const end = begin > bytes.length ? Infinity : begin + bytes.readUInt32BE(at);
    if (end > bytes.length) return `the event at byte ${at} is not whole`;
    const problem = problemOf(bytes.subarray(begin, end));
    if (problem !== undefined) return `the event at byte ${at} ${problem}`;
    ends.push(end);
    if (ends.length % AT_ONCE === 0) await nextTurn();
  }
  return { bytes, ends };
}

/** The messages of a part that is known to be whole. */
export function* messagesIn(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length;) {
    const begin = at + LENGTH_BYTES;
    at = begin + bytes.readUInt32BE(at);
    yield bytes.subarray(begin, at);
  }
}

/** A message with its length before it. */
export function framed(message: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/**
 * What of a part is beyond the first `skip` bytes, in pieces of whole messages of about `size` bytes or one message.
 * Undefined when `skip` is inside a message.
 */
export function piecesBeyond({ bytes, ends }: Frames, skip: number, size: number): Buffer[] | undefined {
  if (skip >= bytes.length) return [];
  const first = skip === 0 ? 0 : ends.indexOf(skip) + 1;
  if (skip > 0 && first === 0) return undefined;
  const pieces: Buffer[] = [];
  let begin = skip;
  for (let at = first; at < ends.length; at++) {
    const [end, next] = [ends[at] ?? bytes.length, ends[at + 1]];
    if (next !== undefined && next - begin <= size) continue;
    pieces.push(bytes.subarray(begin, end));
    begin = end;
  }
  return pieces;
}
