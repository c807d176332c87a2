import * as grpc from '@grpc/grpc-js';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BareLinks } from './bare-links.js';
import { BARE_OPTIONS, BARE_SERVICE } from './bare-protocol.js';
import { pin } from './fleet.js';

const PROGRAM = fileURLToPath(new URL('bare-server-process.js', import.meta.url));
const LINK_PROGRAM = fileURLToPath(new URL('bare-link-process.js', import.meta.url));

/** A server that only passes bytes on: what the same links cost without Curfew. On the same core, with the same CA. */
export class BareServer {
  private linksOfDevices: BareLinks | undefined;
  private readonly programs: ChildProcess[] = [];

  private constructor(
    private readonly child: ChildProcess,
    private readonly address: string,
    private readonly caFile: string,
    private readonly caller: grpc.Client,
  ) {}

  /** `dataDir` is the real server's, whose CA signs for this one as well. */
  static async start(dataDir: string, core: number | undefined): Promise<BareServer> {
    const child = fork(PROGRAM, [join(dataDir, 'pki')]);
    const [port] = (await once(child, 'message')) as [number];
    pin(child.pid ?? 0, core);
    const address = `127.0.0.1:${port}`;
    const caFile = join(dataDir, 'pki/ca.crt');
    const credentials = grpc.credentials.createSsl(readFileSync(caFile));
    return new BareServer(child, address, caFile, new grpc.Client(address, credentials, BARE_OPTIONS));
  }

  /** The server process. */
  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Links of devices to it: none to begin with. */
  get links(): BareLinks {
    this.linksOfDevices ??= new BareLinks(this.address, this.caFile);
    return this.linksOfDevices;
  }

  /** Starts a program of its own that holds a link and does nothing else. Gives its process id. */
  async linkedProgram(): Promise<number> {
    const program = fork(LINK_PROGRAM, [this.address, this.caFile]);
    this.programs.push(program);
    await once(program, 'message');
    return program.pid ?? 0;
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
    await this.linksOfDevices?.end();
    this.caller.close();
    for (const child of [...this.programs, this.child]) {
      child.disconnect();
      await once(child, 'exit');
    }
  }
}
