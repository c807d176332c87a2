import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../support/control-plane.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { Operator } from './operator.js';
import type { BenchSettings } from './settings.js';

const PROFILER = fileURLToPath(new URL('cpu-profile.js', import.meta.url));

/** All load comes from one address and one token, as fast as it can. */
const UNLIMITED = {
  CURFEW_LIMITS_UNKNOWN_CALLS_PER_MINUTE: '100000000',
  CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '1000000',
  CURFEW_LIMITS_DEVICE_MESSAGES_PER_SECOND: '1000000',
};

/**
 * One process has all links, and what holds it up for a moment holds up the answers to all their pings: of so many devices no
 * single one would have missed its own.
 */
const PATIENT = { 'grpc.keepalive_timeout_ms': 30_000 };

/** How many devices enrol at the same time. */
const AT_ONCE = 24;

/** Runs `work` on every item, at most `width` at the same time. */
export async function spread<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items].reverse();
  const worker = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Pins every thread of a process to a core. */
export function pin(pid: number, core: number | undefined): void {
  if (core !== undefined) execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' });
}

/**
 * A real server process on its own core, an operator, and linked devices: each enrolled for real with its own key and
 * certificate, each with a TLS connection of its own, and without an operating system behind it.
 */
export class Fleet {
  readonly devices: ScriptedDevice[] = [];

  private constructor(
    readonly plane: ControlPlane,
    readonly operator: Operator,
  ) {}

  /** Starts a server, with more CURFEW_* options if any. */
  static async start(settings: BenchSettings, options: Readonly<Record<string, string>> = {}): Promise<Fleet> {
    const { profile } = settings;
    const profiled =
      profile === undefined ? {} : { NODE_OPTIONS: `--import=${PROFILER}`, CURFEW_BENCH_PROFILE: profile };
    const plane = await ControlPlane.start({ ...UNLIMITED, ...profiled, ...options });
    pin(plane.pid, settings.serverCore);
    const operator = new Operator(
      plane.operatorEnv['CURFEW_SERVER'] ?? '',
      readFileSync(plane.caFile),
      plane.operatorEnv['CURFEW_TOKEN'] ?? '',
    );
    await operator.createUser('alice');
    return new Fleet(plane, operator);
  }

  /** Enrols and links devices until there are as many. */
  async grow(size: number): Promise<void> {
    const missing = Array.from({ length: Math.max(0, size - this.devices.length) }, (_, index) => index);
    if (missing.length === 0) return;
    const token = await this.operator.joinToken(missing.length);
    const before = this.devices.length;
    const server = { address: `127.0.0.1:${this.plane.port}`, caFile: this.plane.caFile, channelOptions: PATIENT };
    await spread(missing, AT_ONCE, async (index) => {
      const name = `light-${before + index}`;
      const device = await ScriptedDevice.join(server, token, name, ['alice']);
      this.devices.push(device);
      // Thousands of links on a busy machine: one that is lost is no end of the measurement.
      [device.comesBack, device.remembers] = [true, false];
      await device.goOnline().catch(() => undefined);
    });
    await spread(this.devices.slice(before), AT_ONCE, ({ id }) => this.operator.untilReported(id));
  }

  async close(): Promise<void> {
    this.operator.close();
    for (const device of this.devices) device.close();
    await this.plane.dispose();
  }
}
