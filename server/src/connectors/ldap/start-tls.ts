import { BerReader, BerWriter } from 'ldapts';
import type { Socket } from 'node:net';
import { ConnectorError } from '../connector.js';
import { stoppable } from '../stoppable.js';

/** RFC 4511, section 4.14. */
const START_TLS = '1.3.6.1.4.1.1466.20037';
const SEQUENCE = 0x30;
const EXTENDED_REQUEST = 0x77;
const EXTENDED_RESPONSE = 0x78;
const REQUEST_NAME = 0x80;

/** More than any answer to StartTLS. */
const ANSWER_LIMIT = 8192;

/**
 * Asks a directory for TLS on a connection that has carried nothing yet, and leaves it to the caller to put it on. It is
 * asked here and not by the library, so that nothing that was sent in the clear is ever read as if it had come through
 * TLS. Errors: ConnectorError, 'refused' when the directory has no TLS or says more than it was asked.
 */
export async function startTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(startTlsRequest());
  const answer = await stoppable(signal, readAnswer(socket), () => socket.destroy());
  const problem = whyNoTls(answer);
  if (problem === undefined) return;
  socket.destroy();
  throw new ConnectorError('refused', problem);
}

function startTlsRequest(): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(1);
  writer.startSequence(EXTENDED_REQUEST);
  writer.writeString(START_TLS, REQUEST_NAME);
  writer.endSequence();
  writer.endSequence();
  return writer.buffer;
}

/** Reads one whole message, and whatever came with it. */
function readAnswer(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const done = (): void => {
      socket.removeListener('data', onData);
      socket.removeListener('close', onClose);
    };
    const onData = (piece: Buffer): void => {
      pieces.push(piece);
      const all = Buffer.concat(pieces);
      if (all[0] === SEQUENCE && all.length < ANSWER_LIMIT && !isWhole(all)) return;
      done();
      resolve(all);
    };
    const onClose = (): void => {
      done();
      reject(new ConnectorError('unreachable', 'the directory closed the connection instead of starting TLS'));
    };
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

function isWhole(message: Buffer): boolean {
  const reader = new BerReader(message);
  return reader.readSequence() !== null && reader.remain >= reader.length;
}

/** What is wrong with an answer; undefined when TLS may start. */
function whyNoTls(answer: Buffer): string | undefined {
  try {
    const reader = new BerReader(answer);
    reader.readSequence();
    const end = reader.offset + reader.length;
    reader.readInt();
    reader.readSequence(EXTENDED_RESPONSE);
    const code = reader.readEnumeration();
    if (code !== 0) return `the directory does not start TLS (LDAP result ${String(code)})`;
    return end === answer.length ? undefined : 'the directory says more in the clear than it was asked before TLS';
  } catch {
    return 'what listens there does not speak LDAP';
  }
}
