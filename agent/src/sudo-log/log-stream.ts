import { parseClientMessage, type ClientMessage } from './client-message.js';
import { commitPoint, logId } from './server-message.js';
import { LogProtocolError } from './wire-fields.js';

/** The longest message that sudo takes or sends (lib/logsrv/logsrv_util.h, MESSAGE_SIZE_MAX). */
const LONGEST_MESSAGE = 2 * 1024 * 1024;
/** The longest first message: it names the program that sends it, and nothing else. */
const LONGEST_HELLO = 1024;

/** What is held of a message is copied when it is no more than this, or comes in more parts than that. */
const [FEW_BYTES, MOST_PARTS] = [16_384, 1024];

/** What there is to do or to know after bytes of a client. */
export type LogAnswer =
  /** The client waits for a greeting before it runs anything. */
  | { readonly kind: 'greet' }
  /** The client has said this. */
  | {
      readonly kind: 'heard';
      readonly message: Extract<ClientMessage, { kind: 'accept' | 'reject' | 'event' | 'exit' }>;
    }
  /** The client is told so at once. */
  | { readonly kind: 'tell'; readonly bytes: Buffer }
  /** The client waits for these bytes before it ends: they say that everything is kept. */
  | { readonly kind: 'commit'; readonly bytes: Buffer };

/** Both sides of one connection of sudo, without the connection: bytes in, what to do out. Holds at most one message. */
export class LogStream {
  private parts: Buffer[] = [];
  private greeted = false;
  private expectsCommits = false;
  private elapsedNs = 0n;

  /** How many bytes it holds of a message that has not come whole. */
  held = 0;

  /** Takes the next bytes. After an error the connection is to be closed. Errors: LogProtocolError. */
  take(bytes: Buffer): LogAnswer[] {
    this.parts.push(bytes);
    this.held += bytes.length;
    const answers: LogAnswer[] = [];
    for (let message = this.next(); message !== undefined; message = this.next()) answers.push(...this.answer(message));
    // What is kept is a copy: a few bytes must not hold on to a whole buffer, nor come in a million pieces.
    if (this.held < FEW_BYTES || this.parts.length > MOST_PARTS) this.parts = [Buffer.concat(this.parts)];
    return answers;
  }

  /** The next message that is there whole. */
  private next(): Buffer | undefined {
    const head = this.first(4);
    if (head === undefined) return undefined;
    const length = head.readUInt32BE(0);
    if (length > (this.greeted ? LONGEST_MESSAGE : LONGEST_HELLO)) throw new LogProtocolError('a message is too long');
    const whole = this.first(4 + length);
    if (whole === undefined) return undefined;
    const rest = this.parts[0]?.subarray(4 + length);
    if (rest === undefined || rest.length === 0) this.parts.shift();
    else this.parts[0] = rest;
    this.held -= 4 + length;
    return whole.subarray(4);
  }

  /** The first bytes, in one piece; undefined when there are not so many yet. Parts are joined once, however many they are. */
  private first(length: number): Buffer | undefined {
    if (this.held < length) return undefined;
    if ((this.parts[0]?.length ?? 0) < length) this.parts = [Buffer.concat(this.parts)];
    return this.parts[0]?.subarray(0, length);
  }

  private answer(bytes: Buffer): LogAnswer[] {
    const message = parseClientMessage(bytes);
    if ((message.kind === 'hello') === this.greeted) throw new LogProtocolError('a hello comes first, and once');
    this.greeted = true;
    switch (message.kind) {
      case 'hello':
        return [{ kind: 'greet' }];
      case 'accept':
        this.expectsCommits ||= message.expectsCommits;
        return [
          { kind: 'heard', message },
          ...(message.expectsCommits ? [{ kind: 'tell' as const, bytes: logId() }] : []),
        ];
      case 'event':
        this.elapsedNs += message.delayNs;
        return [{ kind: 'heard', message }];
      case 'exit':
        return [
          { kind: 'heard', message },
          ...(this.expectsCommits ? [{ kind: 'commit' as const, bytes: commitPoint(this.elapsedNs) }] : []),
        ];
      case 'restart':
        throw new LogProtocolError('there is no log that could go on');
      case 'reject':
        return [{ kind: 'heard', message }];
      case 'alert':
        return [];
    }
  }
}
