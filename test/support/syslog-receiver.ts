import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import type { ReceiverCertificate } from './receiver-certificate.js';

/** A message as RFC 5424 has it. */
export interface SyslogMessage {
  readonly priority: number;
  readonly timestamp: string;
  readonly hostname: string;
  readonly app: string;
  readonly msgId: string;
  readonly structure: Readonly<Record<string, string>>;
  readonly message: string;
}

/** The header of RFC 5424, section 6: a version 1 message with one element of structured data. */
const LINE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) \[([^\s=\]"]{1,32})((?: [^\s=\]"]{1,32}="(?:[^"\\\]]|\\["\\\]]|\\(?!["\\\]]))*")*)\] ([\x20-\x7e]*)$/;

/** Reads one message. Errors: it is none. */
export function parseSyslog(line: string): SyslogMessage {
  const parts = LINE.exec(line);
  if (parts === null) throw new Error(`not a message of RFC 5424: ${JSON.stringify(line)}`);
  const [, priority, timestamp = '', hostname = '', app = '', , msgId = '', , params = '', message = ''] = parts;
  const structure: Record<string, string> = {};
  for (const [, name = '', value = ''] of params.matchAll(/ ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"/g))
    structure[name] = value.replace(/\\(["\\\]])/g, '$1');
  return { priority: Number(priority), timestamp, hostname, app, msgId, structure, message };
}

/** What a connection is met with: it is read to its end, or something breaks. */
export type SyslogTreatment = 'read' | 'reset' | 'end' | 'half';

/** A receiver of syslog over TCP or TLS with counted octets (RFC 6587, RFC 5425), as strict as the format. */
export class SyslogReceiver {
  readonly messages: SyslogMessage[] = [];
  /** What did not parse. There must be nothing. */
  readonly broken: string[] = [];
  treatment: SyslogTreatment = 'read';
  connections = 0;
  port = 0;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly tls?: ReceiverCertificate) {}

  get target(): string {
    return `${this.tls === undefined ? 'tcp' : 'tls'}://127.0.0.1:${this.port}`;
  }

  /** Listens, at a second call on the same port as before. */
  async start(): Promise<this> {
    const accept = (socket: Socket): void => this.accept(socket);
    const { tls } = this;
    this.server = tls === undefined ? createServer(accept) : createSecureServer(tls, accept);
    this.server.on('tlsClientError', () => undefined);
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    if (this.server?.listening !== true) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** The index of each message's event, in the order of arrival. */
  get indices(): number[] {
    return this.messages.map(({ structure }) => Number(structure['index']));
  }

  private accept(socket: Socket): void {
    this.connections++;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    const { treatment } = this;
    if (treatment === 'reset') this.reset(socket);
    if (treatment === 'end') socket.destroy();
    if (treatment !== 'read' && treatment !== 'half') return;
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (piece: Buffer) => {
      rest = this.take(Buffer.concat([rest, piece]));
      // Half of the messages were read when the receiver died.
      if (treatment === 'half') this.reset(socket);
    });
    socket.on('end', () => {
      if (rest.length > 0) this.broken.push(rest.toString());
    });
  }

  /** TLS has no reset of its own: there the connection ends in the middle. */
  private reset(socket: Socket): void {
    if (this.tls === undefined) socket.resetAndDestroy();
    else socket.destroy();
  }

  /** Takes whole frames off the front; gives what is left. */
  private take(bytes: Buffer): Buffer {
    for (;;) {
      const [frame, length] = /^([1-9]\d{0,8}) /.exec(bytes.subarray(0, 12).toString('latin1')) ?? [];
      if (frame === undefined) {
        if (bytes.length > 10) this.broken.push(bytes.toString());
        return bytes;
      }
      const end = frame.length + Number(length);
      if (bytes.length < end) return bytes;
      const line = bytes.subarray(frame.length, end).toString('utf8');
      try {
        this.messages.push(parseSyslog(line));
      } catch {
        this.broken.push(line);
      }
      bytes = bytes.subarray(end);
    }
  }
}
