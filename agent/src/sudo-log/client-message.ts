import { sudoCallOf, terminalSize, text, type SudoCall } from './sudo-call.js';
import { bytesOf, contentOf, LogProtocolError, numberOf, wireFields, type WireField } from './wire-fields.js';

/** How a command has ended. */
export interface CommandExit {
  readonly runNs: bigint;
  /** 0 to 255. */
  readonly exitStatus: number;
  /** The signal that ended it, such as 'KILL'; '' when none did. */
  readonly signal: string;
  /** What went wrong in sudo itself. */
  readonly error: string;
}

/** What takes its place in time while a command runs. */
export type SudoEvent =
  | {
      readonly kind: 'terminal_input' | 'terminal_output' | 'standard_input' | 'standard_output' | 'standard_error';
      readonly data: Buffer;
    }
  | { readonly kind: 'window_size'; readonly columns: number; readonly lines: number }
  | { readonly kind: 'suspension'; readonly signal: string };

/**
 * What sudo says to its log server. Every kind of message is known, for a stream with an unknown one cannot be followed
 * (sudo's lib/logsrv/log_server.proto, ClientMessage).
 */
export type ClientMessage =
  | { readonly kind: 'hello' | 'restart' | 'alert' }
  | { readonly kind: 'accept'; readonly expectsCommits: boolean; readonly call: SudoCall }
  | { readonly kind: 'reject'; readonly reason: string; readonly call: SudoCall }
  | ({ readonly kind: 'exit' } & CommandExit)
  | { readonly kind: 'event'; readonly delayNs: bigint; readonly event: SudoEvent };

type Content = readonly WireField[];

const event =
  (read: (content: Content) => SudoEvent) =>
  (content: Content): ClientMessage => ({ kind: 'event', delayNs: timeOf(content, 1), event: read(content) });
const stream = (kind: Extract<SudoEvent, { data: Buffer }>['kind']): ((content: Content) => ClientMessage) =>
  event((content) => ({ kind, data: bytesOf(content, 2) }));
const plain = (kind: 'hello' | 'restart' | 'alert') => (): ClientMessage => ({ kind });

/** How each kind is read, by the number of its field. */
const KINDS: Readonly<Record<number, (content: Content) => ClientMessage>> = {
  1: (content) => ({ kind: 'accept', expectsCommits: numberOf(content, 3) !== 0n, call: callOf(content, 2) }),
  2: (content) => ({ kind: 'reject', reason: text(bytesOf(content, 2), LONGEST_REASON), call: callOf(content, 3) }),
  3: (content) => ({ kind: 'exit', ...exitOf(content) }),
  4: plain('restart'),
  5: plain('alert'),
  6: stream('terminal_input'),
  7: stream('terminal_output'),
  8: stream('standard_input'),
  9: stream('standard_output'),
  10: stream('standard_error'),
  11: event((content) => ({
    kind: 'window_size',
    columns: terminalSize(numberOf(content, 3)),
    lines: terminalSize(numberOf(content, 2)),
  })),
  12: event((content) => ({ kind: 'suspension', signal: text(bytesOf(content, 2), LONGEST_SIGNAL) })),
  13: plain('hello'),
};

const [LONGEST_REASON, LONGEST_SIGNAL] = [1000, 32];

/** Reads a message whole. The bytes of an event are a part of it, not a copy. Errors: LogProtocolError. */
export function parseClientMessage(message: Buffer): ClientMessage {
  const [field, ...others] = wireFields(message);
  if (field === undefined || others.length > 0) throw new LogProtocolError('a message has one content');
  const read = KINDS[field.number];
  if (read === undefined) throw new LogProtocolError(`message ${field.number} is not known`);
  return read(wireFields(contentOf(field)));
}

const callOf = (content: Content, facts: number): SudoCall =>
  sudoCallOf(content.filter(({ number }) => number === facts));

function exitOf(content: Content): CommandExit {
  return {
    runNs: timeOf(content, 1),
    exitStatus: Number(numberOf(content, 2) & 0xffn),
    signal: text(bytesOf(content, 4), LONGEST_SIGNAL),
    error: text(bytesOf(content, 5), LONGEST_REASON),
  };
}

/** A TimeSpec. */
function timeOf(content: Content, number: number): bigint {
  const spec = wireFields(bytesOf(content, number));
  const [seconds, nanoseconds] = [numberOf(spec, 1), numberOf(spec, 2)];
  if (seconds >= 2n ** 40n || nanoseconds >= 1_000_000_000n) throw new LogProtocolError('a time makes no sense');
  return seconds * 1_000_000_000n + nanoseconds;
}
