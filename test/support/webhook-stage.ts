import type { Connector, Person } from '@curfew/server/parts';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ContractStage } from './connector-contract.js';
import { openConnector, personOf } from './connector-parts.js';
import { scratchFolder } from './scratch.js';

const EXAMPLE = fileURLToPath(new URL('../../../docs/examples/webhook-connector.mjs', import.meta.url));

/** The secret of receivers in tests. */
export const SIGNING_SECRET = `whsec_${Buffer.from('a key of receivers in tests').toString('base64')}`;

/** Opens a connector of the kind webhook to an address of this machine. */
export const openWebhook = (url: string, secret = SIGNING_SECRET): Connector =>
  openConnector('webhook', { settings: { url }, secrets: { signing_secret: secret }, target: { resource: 'ops' } });

/** The receiver of the documents as a process of its own, and the folder in which it keeps members. */
export class WebhookStage implements ContractStage {
  readonly home = scratchFolder('webhook');
  readonly people = [personOf('alice'), personOf('bob')] as const;
  readonly stranger = personOf('mallory');
  connector!: Connector;
  private receiver: ChildProcessByStdio<null, Readable, null> | undefined;
  private port = '0';

  static async start(): Promise<WebhookStage> {
    const stage = new WebhookStage();
    mkdirSync(path.join(stage.home, 'ops'));
    writeFileSync(path.join(stage.home, 'people.txt'), 'alice\nbob\n');
    await stage.startReceiver();
    stage.connector = openWebhook(stage.url);
    return stage;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/curfew`;
  }

  readonly truth = async ({ userName }: Person): Promise<boolean> => existsSync(this.fileOf(userName));

  readonly byHand = async ({ userName }: Person, has: boolean): Promise<void> => {
    if (has) writeFileSync(this.fileOf(userName), '');
    else rmSync(this.fileOf(userName), { force: true });
  };

  readonly cutOff = async (): Promise<() => Promise<void>> => {
    await this.stopReceiver();
    return () => this.startReceiver();
  };

  readonly hang = async (): Promise<() => Promise<void>> => {
    this.receiver?.kill('SIGSTOP');
    return async () => void this.receiver?.kill('SIGCONT');
  };

  readonly forget = async ({ userName }: Person): Promise<void> => {
    const file = path.join(this.home, 'people.txt');
    writeFileSync(file, readFileSync(file, 'utf8').replace(`${userName}\n`, ''));
  };

  readonly close = async (): Promise<void> => {
    await this.connector.close();
    await this.stopReceiver();
    rmSync(this.home, { recursive: true });
  };

  /** Starts it, at a second call on the same port as before. */
  private async startReceiver(): Promise<void> {
    const env = {
      RECEIVER_HOME: this.home,
      RECEIVER_RESOURCE: 'ops',
      RECEIVER_SECRET: SIGNING_SECRET,
      RECEIVER_PORT: this.port,
    };
    const receiver = spawn(process.execPath, [EXAMPLE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.receiver = receiver;
    const [line] = (await once(createInterface(receiver.stdout), 'line')) as [string];
    this.port = /\d+$/.exec(line)?.[0] ?? '';
  }

  private async stopReceiver(): Promise<void> {
    if (this.receiver?.exitCode !== null || this.receiver.signalCode !== null) return;
    const exit = once(this.receiver, 'exit');
    this.receiver.kill('SIGKILL');
    await exit;
  }

  private fileOf(userName: string): string {
    return path.join(this.home, 'ops', userName);
  }
}
