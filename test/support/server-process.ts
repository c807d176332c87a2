import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { isRunning } from './scratch.js';
import { eventually } from './wait.js';

/** Below are the ports of well-known services; from the other on the kernel gives them away, to whoever calls somebody too. */
const [LOWEST_PORT, RANGE_FILE] = [10_000, '/proc/sys/net/ipv4/ip_local_port_range'];
const firstGivenAway = (): number =>
  existsSync(RANGE_FILE) ? Number.parseInt(readFileSync(RANGE_FILE, 'latin1'), 10) : 32_768;

/** A port on the loopback that nobody has, and that the kernel gives to nobody: not even while its server is away. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, Math.max(firstGivenAway(), 2 * LOWEST_PORT));
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** As whom a server runs: numbers of a user and a group. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A server of another project that runs in the foreground. It does not outlive this process. */
export class ServerProcess {
  private output = '';

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-20_000);
      });
    }
  }

  /** Starts it; `runAs` is for those that will not run as root. */
  static start(command: readonly string[], runAs?: RunAs): ServerProcess {
    const who = runAs === undefined ? [] : [`--reuid=${runAs.uid}`, `--regid=${runAs.gid}`, '--clear-groups'];
    const args = [...who, '--pdeathsig', 'INT', ...command];
    return new ServerProcess(spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' }));
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it said. */
  get log(): string {
    return this.output;
  }

  /** Kills it and all the processes that it has started, so that none of them can say anything any more. */
  async kill(): Promise<void> {
    const { pid } = this.child;
    if (pid === undefined || !this.isRunning) return;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    const ended = once(this.child, 'exit');
    // Those that it has started may go by themselves as soon as it has gone.
    for (const one of [pid, ...children]) killIfThere(one);
    await ended;
    await eventually(() => !children.some(isRunning), { withinMs: 10_000, what: 'the end of killed processes' });
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await ended;
  }
}
