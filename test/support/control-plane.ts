import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVICE_BIN } from './device-init.js';
import { CHECKOUT, type Device } from './device.js';
import type { DeviceProcess } from './device-process.js';
import type { ToolResult } from './tool.js';
import { eventually } from './wait.js';

const SERVER = join(CHECKOUT, 'server/bin/curfew-server.js');
const OPERATOR = join(CHECKOUT, 'server/bin/curfewctl.js');
const AGENT = join(DEVICE_BIN, 'curfew-agent');
const PERSON = join(DEVICE_BIN, 'curfew');

/** A real server process on a scratch ledger, and the operator's command line against it. */
export class ControlPlane {
  port = 0;
  caFile = '';
  private child: ChildProcess | undefined;
  private ownerToken = '';
  private output = '';

  private constructor(
    readonly folder: string,
    private readonly options: Readonly<Record<string, string>>,
  ) {}

  /** Starts a server with more CURFEW_* options, if any. */
  static async start(options: Readonly<Record<string, string>> = {}): Promise<ControlPlane> {
    const plane = new ControlPlane(mkdtempSync(join(tmpdir(), 'curfew-server-')), options);
    await plane.run();
    return plane;
  }

  /** Starts the server process, on the same port as before. */
  async run(): Promise<void> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CURFEW_DATA_DIR: this.folder,
      CURFEW_GRPC_PORT: String(this.port),
      ...this.options,
    };
    const child = spawn(SERVER, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`the server ended: ${this.output}`);
        return this.output.includes('"message":"server ready"');
      },
      { withinMs: 20_000, what: 'a server that is ready' },
    );
    this.port = Number(/listening on \S+:(\d+)/.exec(this.output)?.[1]);
    this.ownerToken = /first owner token, shown this once: (\S+)/.exec(this.output)?.[1] ?? this.ownerToken;
    this.caFile = join(this.folder, 'pki/ca.crt');
  }

  /** Ends the server process: SIGTERM lets it close, SIGKILL does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const over = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await over;
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get log(): string {
    return this.output;
  }

  /** The environment that makes curfewctl an owner of this server. */
  get operatorEnv(): Record<string, string> {
    return {
      CURFEW_SERVER: `127.0.0.1:${this.port}`,
      CURFEW_TOKEN: this.ownerToken,
      CURFEW_CA: this.caFile,
      HOME: this.folder,
    };
  }

  /** Runs curfewctl as the owner. Resolves with any exit code. */
  curfewctl(...args: string[]): Promise<ToolResult> {
    const env = { PATH: process.env['PATH'] ?? '', ...this.operatorEnv };
    const child = spawn(OPERATOR, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) => {
        resolve({ exitCode, signal, stdout, stderr });
      });
    });
  }

  /** Runs curfewctl with JSON output; it must succeed. */
  async json<T>(...args: string[]): Promise<T> {
    const result = await this.curfewctl(...args, '-o', 'json');
    if (result.exitCode !== 0)
      throw new Error(
        `curfewctl ${args.join(' ')}: exit code ${String(result.exitCode)}\n${result.stderr}${result.stdout}`,
      );
    return JSON.parse(result.stdout) as T;
  }

  /** Enrols a device and runs its agent there. `server` replaces the server's address, for a proxy between. */
  async join(device: Device, server = `${device.network.hostAddress}:${this.port}`): Promise<DeviceProcess> {
    const { secret } = await this.json<{ secret: string }>('devices', 'join-token', 'create');
    await device.must([AGENT, 'enroll', '--server', server, '--token', secret]);
    return startAgent(device);
  }
}

/** Runs the agent of a device that is enrolled, until it is ready. */
export async function startAgent(device: Device, ...args: string[]): Promise<DeviceProcess> {
  const agent = device.spawn([AGENT, 'run', ...args]);
  await eventually(
    () => {
      if (agent.end !== undefined) throw new Error(`the agent ended: ${agent.output}`);
      return agent.output.includes('"message":"agent ready"');
    },
    { withinMs: 20_000, what: 'an agent that is ready' },
  );
  return agent;
}

/** Runs the person's command line on a device. */
export const curfew = (device: Device, user: string, ...args: string[]): Promise<ToolResult> =>
  device.run([PERSON, ...args], { as: user });

/** The same with JSON output; it must succeed. */
export async function curfewJson<T>(device: Device, user: string, ...args: string[]): Promise<T> {
  const result = await curfew(device, user, ...args, '-o', 'json');
  if (result.exitCode !== 0)
    throw new Error(`curfew ${args.join(' ')}: exit code ${String(result.exitCode)}\n${result.stderr}${result.stdout}`);
  return JSON.parse(result.stdout) as T;
}
