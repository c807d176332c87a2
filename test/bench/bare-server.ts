import * as grpc from '@grpc/grpc-js';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BARE_SERVICE } from './bare-protocol.js';
import { pin } from './fleet.js';

const PROGRAM = fileURLToPath(new URL('bare-server-process.js', import.meta.url));
const OPTIONS = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  'grpc.keepalive_time_ms': 4_000,
  'grpc.keepalive_timeout_ms': 4_000,
};

/** A server that only passes bytes on: what the same links cost without Curfew. On the same core, with the same CA. */
export class BareServer {
  private readonly links: grpc.Client[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly address: string,
    private readonly caller: grpc.Client,
  ) {}

  /** `dataDir` is the real server's, whose CA signs for this one as well. */
  static async start(dataDir: string, core: number | undefined): Promise<BareServer> {
    const child = fork(PROGRAM, [join(dataDir, 'pki')]);
    const [port] = (await once(child, 'message')) as [number];
    pin(child.pid ?? 0, core);
    const address = `127.0.0.1:${port}`;
    const ca = readFileSync(join(dataDir, 'pki/ca.crt'));
    return new BareServer(child, address, new grpc.Client(address, grpc.credentials.createSsl(ca), OPTIONS));
  }

  /** Opens a link that answers every message with `reply`. */
  async link(credentials: grpc.ChannelCredentials, reply: Buffer): Promise<void> {
    const client = new grpc.Client(this.address, credentials, OPTIONS);
    this.links.push(client);
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 20_000, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
    const { path, requestSerialize, responseDeserialize } = BARE_SERVICE.link;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    stream.on('error', () => undefined);
    stream.on('data', () => stream.write(reply));
  }

  /** Sends a message to every link; resolves when each has answered. */
  fanOut(message: Buffer): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = BARE_SERVICE.fanOut;
    return new Promise((resolve, reject) => {
      this.caller.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  async close(): Promise<void> {
    for (const client of [...this.links, this.caller]) client.close();
    this.child.disconnect();
    await once(this.child, 'exit');
  }
}
