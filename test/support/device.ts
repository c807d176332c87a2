import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEVICE_CLOCK } from './device-clock.js';
import { DeviceCgroup, type CgroupVersion } from './device-cgroup.js';
import { DEVICE_PATH, deviceInitScript, type DeviceInit } from './device-init.js';
import { DeviceNetwork } from './device-network.js';
import { childrenOf, DeviceProcess } from './device-process.js';
import { DeviceShell } from './device-shell.js';
import { layerFolder, removeLayerFolder } from './scratch.js';
import type { ToolResult } from './tool.js';
import { treeHash } from './tree-hash.js';
import { eventually } from './wait.js';

/** The checkout that the tests belong to. */
export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** A person with an account on a device. */
export interface DeviceUser {
  /** Hostile names are fine as far as useradd takes them. */
  readonly name: string;
  /** Default: the next free one. */
  readonly uid?: number;
  readonly password?: string;
  /** Groups beside the user's own. */
  readonly groups?: readonly string[];
}

export interface DeviceOptions {
  /** The host name. */
  readonly name: string;
  readonly users?: readonly DeviceUser[];
  /** What runs as its first process; default plain. */
  readonly init?: DeviceInit;
  /** A folder of the machine that is the agent's state folder, so that its fsync is the disk's; else that is in memory too. */
  readonly stateFolder?: string;
  /** What runs on it is in control groups of its own of this version, which it can see and change; else a plain device has none. */
  readonly cgroups?: CgroupVersion | undefined;
  /** The root folder of a whole system that the device has in the machine's place; for one with systemd. */
  readonly system?: string;
}

export interface RunOptions {
  /** User name or uid; default root. */
  readonly as?: string | number;
  readonly stdin?: string;
  /** Added to a fresh login's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 60,000: nothing hangs for ever. The program is killed then, and the call fails. */
  readonly timeoutMs?: number;
}

/**
 * A real host in its own mount, pid, uts, ipc and net namespaces: real sudo, real users, own copy-on-write /etc, /var
 * and checkout, own /home and /root, fresh /run and /tmp at each boot, own boot id; the rest of the machine is there
 * to be read. It ends with the test process at the latest, and leaves nothing.
 */
export class Device {
  private init: ChildProcessWithoutNullStreams | undefined;
  private initPid = 0;
  private readonly running = new Set<DeviceProcess>();
  private clock: DeviceProcess | undefined;
  private cable: DeviceNetwork | undefined;
  private cgroup: DeviceCgroup | undefined;

  private constructor(
    readonly name: string,
    private readonly initKind: DeviceInit,
    private readonly layers: string,
    private readonly stateFolder: string,
    private readonly cgroups: CgroupVersion | undefined,
    private readonly system: string,
  ) {}

  /** Boots a device; one with systemd has reached its multi-user target then. Needs root on Linux (see `describeOn`). */
  static async start(options: DeviceOptions): Promise<Device> {
    const { name, init = 'plain', stateFolder = '', cgroups, system = '' } = options;
    const device = new Device(name, init, layerFolder(), stateFolder, cgroups, system);
    try {
      await device.boot();
      for (const user of options.users ?? []) await device.addUser(user);
    } catch (error) {
      await device.dispose();
      throw error;
    }
    return device;
  }

  /** The cable between device and machine. */
  get network(): DeviceNetwork {
    if (!this.cable) throw new Error(`device ${this.name} is not up`);
    return this.cable;
  }

  /** The device's root folder as the machine sees it, to read or plant files without a process on the device. */
  get root(): string {
    return `/proc/${this.initPid}/root`;
  }

  /** The machine's process id of the device's first process. */
  get pid(): number {
    return this.initPid;
  }

  /** Makes an account. Gives its uid. */
  async addUser(user: DeviceUser): Promise<number> {
    const existing = await this.run(['id', '-u', '--', user.name]);
    if (existing.exitCode === 0) await this.must(['userdel', '-f', '--', user.name]);
    const args = ['useradd', '--create-home', '--shell', '/bin/bash'];
    if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user.name)) args.push('--badname');
    if (user.uid !== undefined) args.push('--uid', String(user.uid), '--non-unique');
    if (user.groups?.length) args.push('--groups', user.groups.join(','));
    await this.must([...args, '--', user.name]);
    if (user.password !== undefined) await this.must(['chpasswd'], { stdin: `${user.name}:${user.password}\n` });
    return Number(await this.must(['id', '-u', '--', user.name]));
  }

  /** Runs a program to its end. Resolves with any exit code. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<ToolResult> {
    const limitMs = options.timeoutMs ?? 60_000;
    const started = this.spawn(argv, options);
    started.endInput(options.stdin);
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort();
      void started.abandon();
    }, limitMs);
    const end = await started.ended.finally(() => clearTimeout(timer));
    if (late.signal.aborted)
      throw new Error(`longer than ${limitMs} ms on ${this.name}: ${argv.join(' ')}\n${started.output}`);
    return { ...end, stdout: started.stdout, stderr: started.stderr };
  }

  /** Runs a program that must succeed; gives its output without the last line end. */
  async must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(argv, options);
    if (result.exitCode !== 0) {
      const end = result.signal ?? `exit code ${String(result.exitCode)}`;
      throw new Error(`${argv.join(' ')} on ${this.name}: ${end}\n${result.stdout}${result.stderr}`);
    }
    return result.stdout.replace(/\n$/, '');
  }

  /** Starts a program that runs until it ends, is killed, or the device goes down. */
  spawn(argv: readonly string[], options: Omit<RunOptions, 'stdin' | 'timeoutMs'> = {}): DeviceProcess {
    if (!this.init) throw new Error(`device ${this.name} is not up`);
    const user = options.as ?? 'root';
    const become = user === 'root' || user === 0 ? [] : [...BECOME, String(user)];
    const env = { PATH: DEVICE_PATH, LANG: 'C.UTF-8', TERM: 'dumb', HOME: '/root', USER: 'root', LOGNAME: 'root' };
    const enter = ['-t', String(this.initPid), '-m', '-u', '-i', '-n', '-p', '--'];
    const inside = this.cgroups === undefined ? [] : (this.cgroup?.enterGuests ?? []);
    const [program = '', ...args] = [
      ...inside,
      'nsenter',
      ...(this.cgroups === undefined ? [] : ['-C']),
      ...enter,
      ...become,
      ...argv,
    ];
    const child = spawn(program, args, {
      stdio: 'pipe',
      cwd: '/',
      env: { ...env, SHELL: '/bin/bash', ...options.env },
    });
    const started = new DeviceProcess(argv, child);
    this.running.add(started);
    void started.ended.catch(() => undefined).finally(() => this.running.delete(started));
    return started;
  }

  /** Logs a person in: a shell that stays open and answers commands. */
  shell(user: string | number): DeviceShell {
    return new DeviceShell(this.spawn(['bash', '--noprofile', '--norc'], { as: user }));
  }

  /** Power off and on: every process is killed at once, /run and /tmp are fresh, the boot id is new; the rest stays. */
  async reboot(): Promise<void> {
    await this.powerOff();
    await this.boot();
  }

  /** Kills every process of the device at once. Only `powerOn` and `dispose` make sense after. */
  async powerOff(): Promise<void> {
    const { init } = this;
    if (!init) return;
    this.init = undefined;
    this.clock = undefined;
    if (init.exitCode === null && init.signalCode === null) {
      const over = new Promise((resolve) => init.once('exit', resolve));
      killHard(this.initPid) || init.kill('SIGKILL');
      // The first process ends when all others have been seen to end, and an nsenter that is stopped sees nothing.
      for (const left of this.running) await left.kill('SIGCONT');
      await over;
    }
    this.initPid = 0;
    await Promise.all([...this.running].map((left) => left.ended.catch(() => undefined)));
    await this.cable?.remove();
    this.cgroup?.remove();
    this.cgroup = undefined;
  }

  /** Boots a device that was powered off. */
  async powerOn(): Promise<void> {
    await this.boot();
  }

  /** The id of this boot, as the device sees it. */
  async bootId(): Promise<string> {
    return this.must(['cat', '/proc/sys/kernel/random/boot_id']);
  }

  /** Moves the device's boot time against the real one, from this call to the next reboot; sleep looks like that. */
  async setUptimeOffset(offsetMs: number): Promise<void> {
    const clock = await this.movingClock();
    const hundredths = Math.round(offsetMs / 10);
    const told = clock.stdout.length;
    clock.write(`${hundredths}\n`);
    await eventually(() => clock.stdout.slice(told).includes(`offset ${hundredths}\n`), {
      withinMs: 20_000,
      everyMs: 1,
      what: 'the moved boot time',
    });
  }

  /** What moves the boot time. Whoever counts from the time of now has it started before: that takes its own time. */
  async movingClock(): Promise<DeviceProcess> {
    if (!this.clock) {
      this.clock = this.spawn(['bash', '-c', DEVICE_CLOCK]);
      await this.clock.waitFor(/^ready$/m);
    }
    return this.clock;
  }

  /** A hash of everything below /etc: content, modes, owners, names. */
  async etcHash(): Promise<string> {
    return treeHash(`${this.root}/etc`);
  }

  /** Closes what ties the device to this process, as this process's end would: the device goes down by itself. */
  loseParent(): void {
    this.init?.stdin.end();
  }

  /** Ends the device and removes all that it was made of. Safe to call twice. */
  async dispose(): Promise<void> {
    await this.powerOff();
    removeLayerFolder(this.layers);
  }

  private async boot(): Promise<void> {
    if (this.init) throw new Error(`device ${this.name} is up`);
    const script = join(this.layers, 'init');
    writeFileSync(script, deviceInitScript(this.initKind));
    if (this.initKind === 'systemd' || this.cgroups !== undefined) this.cgroup = DeviceCgroup.make(this.cgroups);
    const separate = ['unshare', ...NAMESPACES, ...(this.cgroup === undefined ? [] : ['--cgroup']), '--'];
    const first = ['bash', script, this.layers, this.name, CHECKOUT, process.execPath, this.initKind, this.stateFolder];
    first.push(this.cgroups === undefined ? '' : String(this.cgroups), this.system);
    const [program = '', ...args] = [...(this.cgroup?.enter ?? []), ...separate, ...first];
    const init = spawn(program, args, { stdio: 'pipe', cwd: '/', env: { PATH: DEVICE_PATH, LC_ALL: 'C' } });
    this.init = init;
    let output = '';
    let problem: unknown;
    init.stdin.on('error', () => undefined);
    init.once('error', (error) => (problem = error));
    init.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    init.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    const said = async (word: string): Promise<void> => {
      const over = (): boolean => problem !== undefined || init.exitCode !== null || init.signalCode !== null;
      await eventually(() => over() || output.includes(`${word}\n`), { withinMs: 60_000, everyMs: 1, what: word });
      if (over()) throw new Error(`device ${this.name} does not boot: ${output}`, { cause: problem });
    };
    await said('started');
    const [pid] = childrenOf(init.pid ?? 0);
    if (pid === undefined) throw new Error(`device ${this.name} has no first process: ${output}`);
    this.initPid = pid;
    if (this.cable) await this.cable.attach(pid);
    else this.cable = await DeviceNetwork.plugIn(pid);
    if (init.pid !== undefined) this.cgroup?.release(init.pid);
    await said('ready');
    if (this.initKind === 'systemd') await this.systemdIsUp();
  }

  /** A unit of the machine that fails on a device makes the system degraded, and nothing of ours. */
  private async systemdIsUp(): Promise<void> {
    await eventually(async () => (await this.run(['systemctl', 'is-active', 'multi-user.target'])).exitCode === 0, {
      withinMs: 60_000,
      everyMs: 100,
      what: `systemd of ${this.name}`,
    });
  }
}

/** Kills a process. Gives whether there was one. */
function killHard(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

const NAMESPACES = [
  '--fork',
  '--pid',
  '--mount',
  '--uts',
  '--ipc',
  '--net',
  '--mount-proc',
  '--propagation',
  'private',
];

/** Becomes the user whose name or uid follows, with all of the user's groups, as a login does; then runs the rest. */
const BECOME = [
  'bash',
  '-c',
  `user=$1; shift
   IFS=: read -r name _ uid gid _ home shell < <(getent passwd "$user") || { echo "no account $user" >&2; exit 125; }
   export HOME="$home" USER="$name" LOGNAME="$name" SHELL="$shell"
   exec setpriv --reuid="$uid" --regid="$gid" --init-groups -- "$@"`,
  'become',
];
