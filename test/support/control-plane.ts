import { DeviceServiceService } from '@curfew/proto';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_ENV } from './agent-env.js';
import { ApiClient } from './api-client.js';
import { DEVICE_BIN } from './device-init.js';
import { CHECKOUT, type Device } from './device.js';
import type { DeviceProcess } from './device-process.js';
import { freePort } from './server-process.js';
import { captureTool, type ToolResult } from './tool.js';
import { eventually } from './wait.js';

const SERVER = join(CHECKOUT, 'server/bin/curfew-server.js');
const OPERATOR = join(CHECKOUT, 'server/bin/curfewctl.js');
const AGENT = join(DEVICE_BIN, 'curfew-agent');
/** How long a program may take to start where many run at a time. */
const SLOW_START_MS = 60_000;
/** A command that waits for a device waits less than this; nothing hangs for ever. */
const TOOL_LIMIT_MS = 120_000;
const PERSON = join(DEVICE_BIN, 'curfew');
/** The last thing that a server prints of itself. */
const LISTENING = /listening on \S+:(\d+),/;

/** A real server process on a scratch ledger, and the operator's command line against it. */
export class ControlPlane {
  port = 0;
  /** The console's. */
  httpPort = 0;
  caFile = '';
  ownerToken = '';
  /** The first owner's one-time password. */
  ownerPassword = '';
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(
    readonly folder: string,
    private readonly options: Readonly<Record<string, string>>,
  ) {}

  /** Starts a server with more CURFEW_* options, if any; its data go to a folder that is there, or to a scratch one. */
  static async start(options: Readonly<Record<string, string>> = {}, folder?: string): Promise<ControlPlane> {
    const plane = new ControlPlane(folder ?? mkdtempSync(join(tmpdir(), 'curfew-server-')), options);
    // Ports that are still its own when it is started anew.
    [plane.port, plane.httpPort] = [await freePort(), await freePort()];
    try {
      await plane.run();
    } catch (error) {
      if (folder === undefined) await plane.dispose();
      else await plane.stop('SIGKILL');
      throw error;
    }
    return plane;
  }

  /** HOST:PORT. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The server process. Errors: there is none. */
  get pid(): number {
    if (this.child?.pid === undefined) throw new Error('no server was started');
    return this.child.pid;
  }

  get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** How the server process ended; undefined while it runs. */
  get end(): { readonly exitCode: number | null; readonly signal: NodeJS.Signals | null } | undefined {
    if (this.child === undefined || this.isRunning) return undefined;
    return { exitCode: this.child.exitCode, signal: this.child.signalCode };
  }

  /** The environment that makes curfew-server this one. */
  get serverEnv(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      CURFEW_DATA_DIR: this.folder,
      CURFEW_GRPC_PORT: String(this.port),
      CURFEW_HTTP_PORT: String(this.httpPort),
      ...this.options,
    };
  }

  get ledgerFile(): string {
    return join(this.folder, 'ledger.db');
  }

  /** Starts the server process, on the same ports as before. */
  async run(): Promise<void> {
    const child = spawn(SERVER, ['serve'], { env: this.serverEnv, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    // Its log and what it prints come by two pipes, and either may be read first.
    const isReady = (): boolean => this.output.includes('"message":"server ready"') && LISTENING.test(this.output);
    await eventually(() => !this.isRunning || isReady(), { withinMs: 120_000, what: 'a server that is ready' });
    if (!this.isRunning) throw new Error(`the server ended: ${this.output}`);
    this.port = Number(LISTENING.exec(this.output)?.[1]);
    this.httpPort = Number(/console on https?:\/\/\S+:(\d+)/.exec(this.output)?.[1]);
    this.ownerPassword = /first owner password, shown this once: (\S+)/.exec(this.output)?.[1] ?? this.ownerPassword;
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
      CURFEW_SERVER: this.address,
      CURFEW_TOKEN: this.ownerToken,
      CURFEW_CA: this.caFile,
      HOME: this.folder,
    };
  }

  /** Runs curfewctl as the owner. Resolves with any exit code. */
  curfewctl(...args: string[]): Promise<ToolResult> {
    return captureTool(OPERATOR, args, {
      env: { PATH: process.env['PATH'] ?? '', ...this.operatorEnv },
      timeoutMs: TOOL_LIMIT_MS,
    });
  }

  /** Runs another command of curfew-server on this server's data. Resolves with any exit code. */
  curfewServer(...args: string[]): Promise<ToolResult> {
    return captureTool(SERVER, args, { env: this.serverEnv, timeoutMs: TOOL_LIMIT_MS });
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

  /** Exports the audit log and verifies it. What that has to say; '' when it is whole. */
  async auditProblem(): Promise<string> {
    const file = join(this.folder, 'audit-export.jsonl');
    for (const verb of ['export', 'verify']) {
      const { exitCode, stdout, stderr } = await this.curfewctl('audit', verb, file);
      if (exitCode !== 0) return `audit ${verb}: ${stdout}${stderr}`;
    }
    rmSync(file);
    return '';
  }

  /**
   * Waits until a device is on line and has told of its accounts, of `account` among them if that is given. Until then
   * nobody can be given anything there: an agent that is ready or linked may still have to say who is on its machine.
   */
  async untilReported(device: string, account?: string): Promise<void> {
    const owner = new ApiClient(this.address, this.caFile, { token: this.ownerToken });
    const has = async (): Promise<boolean> => {
      const found = (await owner.unary(DeviceServiceService.getDevice, { device })).device;
      const accounts = found?.accounts ?? [];
      return found?.online === true && accounts.some(({ name }) => account === undefined || name === account);
    };
    await eventually(has, { withinMs: SLOW_START_MS, what: `the accounts of ${device} on the server` }).finally(() =>
      owner.close(),
    );
  }

  /**
   * Enrols a device and runs its agent there, until the server knows its accounts. `server` replaces the server's
   * address, for a proxy between.
   */
  async join(
    device: Device,
    server = `${device.network.hostAddress}:${this.port}`,
    env: Readonly<Record<string, string>> = {},
  ): Promise<DeviceProcess> {
    const { secret } = await this.json<{ secret: string }>('devices', 'join-token', 'create');
    await device.must([AGENT, 'enroll', '--server', server], {
      env: { CURFEW_JOIN_TOKEN: secret },
      timeoutMs: SLOW_START_MS,
    });
    const agent = await startAgent(device, [], env);
    await this.untilReported(deviceIdOf(agent));
    return agent;
  }
}

/** The id of the device whose agent is ready. */
function deviceIdOf(agent: DeviceProcess): string {
  const [, id] = /"deviceId":"([^"]+)"/.exec(agent.output) ?? [];
  if (id === undefined) throw new Error(`the agent does not say which device it is: ${agent.output}`);
  return id;
}

/** Runs the agent of a device that is enrolled, until it is ready. */
export async function startAgent(
  device: Device,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<DeviceProcess> {
  const agent = device.spawn([AGENT, 'run', ...args], { env: { ...AGENT_ENV, ...env } });
  await eventually(
    () => {
      if (agent.end !== undefined) throw new Error(`the agent ended: ${agent.output}`);
      return agent.output.includes('"message":"agent ready"');
    },
    { withinMs: SLOW_START_MS, what: 'an agent that is ready' },
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
