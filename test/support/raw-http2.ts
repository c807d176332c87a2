import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/** Frame types of HTTP/2 (RFC 9113, section 6). */
export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, windowUpdate: 8, continuation: 9 } as const;

/** One frame, as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.of()): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** A header field without compression (RFC 7541, section 6.2.2): name and value shorter than 127 bytes. */
const field = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);

/** The header block of a gRPC call. */
export const callHeaders = (path: string, more: Readonly<Record<string, string>> = {}): Buffer =>
  Buffer.concat(
    Object.entries({
      ':method': 'POST',
      ':scheme': 'https',
      ':path': path,
      ':authority': 'curfew-server',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...more,
    }).map(([name, value]) => field(name, value)),
  );

/** An HTTP/2 connection on which every byte is the test's own. */
export class RawHttp2 {
  closed = false;
  private wake = (): void => undefined;

  private constructor(private readonly socket: tls.TLSSocket) {
    socket.on('error', () => undefined);
    socket.on('drain', () => this.wake());
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
    socket.resume();
  }

  static async connect(address: string, caFile: string): Promise<RawHttp2> {
    const [host = '', port] = address.split(':');
    const ca = readFileSync(caFile);
    const socket = tls.connect({ host, port: Number(port), ca, servername: 'curfew-server', ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    const raw = new RawHttp2(socket);
    await raw.write(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(FRAME.settings, 0, 0)]));
    return raw;
  }

  /** Writes, and waits until there is room for more or the connection is closed. */
  async write(bytes: Buffer): Promise<void> {
    if (this.closed || this.socket.write(bytes)) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
  }

  close(): void {
    this.socket.destroy();
  }
}
