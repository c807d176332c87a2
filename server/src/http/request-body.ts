import { CurfewError } from '@curfew/shared';
import type { IncomingMessage } from 'node:http';

/** As much as gRPC takes. */
const LIMIT_BYTES = 1_048_576;

/** A request's body as text. Errors: HTTP_INVALID when it is longer than 1 MB, packed, or not UTF-8. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const bytes = await readBytes(request);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new CurfewError('HTTP_INVALID', { problem: 'the body is not UTF-8', status: 400 });
  }
}

/** A request's body as it came. Errors: HTTP_INVALID when it is longer than 1 MB, or packed. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const tooLong = new CurfewError('HTTP_INVALID', { problem: 'the body is longer than 1 MB', status: 413 });
  if (Number(request.headers['content-length'] ?? 0) > LIMIT_BYTES) throw tooLong;
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new CurfewError('HTTP_INVALID', { problem: 'the body must not be packed', status: 415 });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LIMIT_BYTES) throw tooLong;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
