import { SessionState, type Session } from '@curfew/proto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENV } from './agent-env.js';
import { DEVICE_BIN } from './device-init.js';
import type { ControlPlane } from './control-plane.js';
import { Device } from './device.js';
import { childrenOf, type DeviceProcess } from './device-process.js';
import type { Operator } from './operator.js';
import { treeEntries } from './tree-hash.js';
import { eventually } from './wait.js';

/** How long a program may take to start where many run at a time. */
const SLOW_START_MS = 60_000;
/** An agent that has not written its state for so long has nothing more to write by itself. */
const REST_MS = 300;
const AGENT = join(DEVICE_BIN, 'curfew-agent');
const [RULES, ARMED] = ['/run/curfew/sudoers.d', '/run/curfew/armed'];

/** One right in the agent's record, as it stands in the state file. */
export interface RecordedGrant {
  readonly sessionId: string;
  readonly phase: 'intended' | 'held' | 'removing';
  readonly deadline: number;
  readonly wallEnd: number;
}

/** The agent's record. */
export interface RecordedState {
  readonly incarnation: number;
  readonly floorGeneration: number;
  readonly floorEpoch: number;
  readonly grants: readonly RecordedGrant[];
  /** When the link was last known to be up, on the boot clock. */
  readonly linkSeen?: number;
  /** Ends of which the server has not yet taken note. */
  readonly ended: readonly unknown[];
}

/** What can be seen on a device at one moment, with whatever of Curfew is dead or alive. */
export interface DeviceFindings {
  /** Exit code of `visudo -c` over everything that sudo reads. */
  readonly visudo: number;
  /** Whether bob, who has a rule of his own, may use sudo. */
  readonly controlUser: boolean;
  /** Whether alice may use sudo. */
  readonly elevated: boolean;
  /** Everything in the folder of rules, half-written files included. */
  readonly rules: readonly string[];
  /** Everything in the folder of the independent remover. */
  readonly armed: readonly string[];
  readonly recorded: readonly RecordedGrant[];
}

export interface ManagedDeviceOptions {
  readonly name: string;
  /** HOST:PORT of the server as the device reaches it, for a proxy between. */
  readonly server?: (device: Device) => Promise<string> | string;
  /** Makes the device ready, before anything of Curfew is there. */
  readonly prepare?: (device: Device) => unknown;
  /** Added to the agent's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * A real host with a real agent that is linked to a real server. Alice is elevated by the tests; bob is a control: he
 * has a sudo rule of his own, with which Curfew has nothing to do.
 */
export class ManagedDevice {
  private etc = new Map<string, string>();

  private constructor(
    readonly device: Device,
    private readonly operator: Operator,
    private readonly env: Readonly<Record<string, string>>,
    readonly aliceUid: number,
    public agent: DeviceProcess,
  ) {}

  /** Boots a device, enrols it and starts its agent. The server must know the user alice. */
  static async start(plane: ControlPlane, operator: Operator, options: ManagedDeviceOptions): Promise<ManagedDevice> {
    const { name, env = {} } = options;
    const device = await Device.start({ name });
    try {
      const uid = await device.addUser({ name: 'alice' });
      await device.addUser({ name: 'bob' });
      const rule = 'umask 0337; echo "bob ALL=(root) NOPASSWD: /usr/bin/id" > /etc/sudoers.d/bob';
      await device.must(['bash', '-c', rule]);
      await options.prepare?.(device);
      const server = (await options.server?.(device)) ?? `${device.network.hostAddress}:${plane.port}`;
      const enroll = [AGENT, 'enroll', '--server', server, '--token', await operator.joinToken(1)];
      await device.must(enroll, { timeoutMs: SLOW_START_MS });
      const managed = new ManagedDevice(device, operator, env, uid, await spawnAgent(device, env));
      managed.etc = await managed.foreignEtc();
      await managed.untilLinked();
      return managed;
    } catch (error) {
      await device.dispose();
      throw error;
    }
  }

  get name(): string {
    return this.device.name;
  }

  /**
   * Starts the agent, and waits until it has cleaned up and serves; not for its link. `behind` is a program with its
   * arguments that starts it and leaves it its process id.
   */
  async startAgent(behind: readonly string[] = []): Promise<void> {
    this.agent = await spawnAgent(this.device, this.env, behind);
  }

  /** Waits until the agent's link is up and the server knows the device's accounts. */
  async untilLinked(withinMs = 30_000): Promise<void> {
    await eventually(() => this.linkUps > 0, { withinMs, what: 'a link' });
    await eventually(
      async () => {
        const { online, accounts } = await this.operator.device(this.name);
        return online && accounts.length > 0;
      },
      { withinMs, what: 'a device that is on line with its accounts' },
    );
  }

  /** How often this agent's link has come up. */
  get linkUps(): number {
    return this.agent.output.match(/"message":"link up"/g)?.length ?? 0;
  }

  /** Waits until the agent has no process running for it. */
  async untilNothingRuns(): Promise<void> {
    const pid = await this.agent.pid();
    await eventually(() => childrenOf(pid).length === 0, { withinMs: 30_000, what: 'an agent that waits for nobody' });
  }

  /** Waits until the server shows the device as on line. */
  async untilOnline(withinMs = 30_000): Promise<void> {
    const online = async (): Promise<boolean> => (await this.operator.device(this.name)).online;
    await eventually(online, { withinMs, everyMs: 10, what: 'a device that is on line' });
  }

  /** Waits until the server shows the device as out of reach. */
  async untilOffline(withinMs = 30_000): Promise<void> {
    const online = async (): Promise<boolean> => (await this.operator.device(this.name)).online;
    await eventually(async () => !(await online()), { withinMs, everyMs: 10, what: 'a device that is off line' });
  }

  /** Elevates alice and waits until the server has the device's word for it. */
  async elevate(forSeconds: number): Promise<Session> {
    const { id } = await this.operator.grant(this.name, forSeconds);
    return this.operator.until(id, [SessionState.ACTIVE]);
  }

  async mayBeRoot(): Promise<boolean> {
    return (await this.device.run(['sudo', '-n', 'id', '-u'], { as: this.aliceUid })).exitCode === 0;
  }

  /** Looks at everything, in one go. */
  async look(): Promise<DeviceFindings> {
    const script = `
      as() { local uid=$1; shift; setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$@"; }
      visudo -c >/dev/null 2>&1; echo $?
      as bob sudo -n /usr/bin/id -u 2>/dev/null || echo no
      as alice sudo -n /usr/bin/id -u 2>/dev/null || echo no`;
    const [visudo, control, alice] = (await this.device.must(['bash', '-c', script])).split('\n');
    return {
      visudo: Number(visudo),
      controlUser: control === '0',
      elevated: alice === '0',
      rules: this.rules(),
      armed: this.armed(),
      recorded: this.recorded(),
    };
  }

  /** Everything in the folder of rules, half-written files included. */
  rules(): string[] {
    return this.names(RULES);
  }

  /** Everything in the folder of the independent remover. */
  armed(): string[] {
    return this.names(ARMED);
  }

  /** The agent's state file. */
  get stateFile(): string {
    return join(this.device.root, 'var/lib/curfew/state.json');
  }

  /** What the agent has on record. */
  state(): RecordedState {
    return JSON.parse(readFileSync(this.stateFile, 'utf8')) as RecordedState;
  }

  /** The rights that the agent has on record. */
  recorded(): readonly RecordedGrant[] {
    return this.state().grants;
  }

  /** What is below /etc and not Curfew's, where it is not as it was when the agent first stood. */
  async etcChanges(): Promise<string[]> {
    const now = await this.foreignEtc();
    const paths = new Set([...this.etc.keys(), ...now.keys()]);
    return [...paths].filter((path) => this.etc.get(path) !== now.get(path));
  }

  /** The device's boot clock, in milliseconds. */
  bootTime(): number {
    return uptimeMs(join(this.device.root, 'proc/uptime'));
  }

  /** Moves the device's boot clock forward to a moment, as a sleep until then does. */
  async sleepUntil(bootMs: number): Promise<void> {
    await this.device.movingClock();
    await this.device.setUptimeOffset(bootMs - uptimeMs('/proc/uptime'));
  }

  /** Waits until nothing of a right is left: no rule, no record, nothing armed. */
  async untilNothingIsLeft(): Promise<void> {
    const left = (): readonly unknown[] => [...this.rules(), ...this.armed(), ...this.recorded()];
    await eventually(() => left().length === 0, { withinMs: 30_000, what: `nothing left on ${this.name}` }).catch(
      (error: unknown) => {
        throw new Error(`left on ${this.name}: ${JSON.stringify(left())}`, { cause: error });
      },
    );
  }

  /**
   * Waits until the agent is done with what came before: the server has taken note of every end, and the state has
   * not been written for a while. What the agent does then belongs to what comes next.
   */
  async untilAtRest(): Promise<void> {
    let [written, since] = ['', performance.now()];
    const atRest = (): boolean => {
      const { ino, mtimeMs } = statSync(this.stateFile);
      const now = `${ino} ${mtimeMs}`;
      if (now !== written || this.state().ended.length > 0) [written, since] = [now, performance.now()];
      return performance.now() - since >= REST_MS;
    };
    await eventually(atRest, { withinMs: 30_000, what: `an agent of ${this.name} at rest` });
  }

  /** Waits until nothing is armed any more: a remover is stood down only after the end of its right is told. */
  async untilDisarmed(): Promise<void> {
    await eventually(() => this.armed().length === 0, { withinMs: 30_000, what: `nothing armed on ${this.name}` });
  }

  /** The independent removers that wait on the device. */
  async removers(): Promise<number> {
    return Number((await this.device.run(['pgrep', '-c', '-f', 'curfew-watchdog'])).stdout);
  }

  private async foreignEtc(): Promise<Map<string, string>> {
    const entries = await treeEntries(join(this.device.root, 'etc'));
    for (const path of ['sudoers.d/zz-curfew', 'sudoers.d/.zz-curfew.new']) entries.delete(path);
    return entries;
  }

  private names(folder: string): string[] {
    try {
      return readdirSync(join(this.device.root, folder)).sort();
    } catch {
      return [];
    }
  }

  async dispose(): Promise<void> {
    await this.device.dispose();
  }
}

const uptimeMs = (file: string): number => Number.parseFloat(readFileSync(file, 'latin1')) * 1000;

async function spawnAgent(
  device: Device,
  env: Readonly<Record<string, string>>,
  behind: readonly string[] = [],
): Promise<DeviceProcess> {
  const agent = device.spawn([...behind, AGENT, 'run'], { env: { ...AGENT_ENV, ...env } });
  await agent.waitFor(/"message":"agent ready"/, SLOW_START_MS);
  return agent;
}
