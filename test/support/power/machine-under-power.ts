import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CHECKOUT } from '../device.js';
import { runTool } from '../tool.js';
import { eventually } from '../wait.js';

/**
 * What runs first: the system of this machine is its own, which nothing can be written to; all that is written goes to a disk
 * of its own, or is lost.
 */
const INIT = `#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
# A checkout below /tmp stays where it is.
case '${CHECKOUT}' in /tmp/*) mkdir /run/kept && mount --bind '${CHECKOUT}' /run/kept ;; esac
mount -t tmpfs -o mode=1777 tmpfs /tmp
[ ! -d /run/kept ] || { mkdir -p '${CHECKOUT}' && mount --move /run/kept '${CHECKOUT}' && rmdir /run/kept; }
mount -t ext4 /dev/ubda /mnt
ip link set lo up
`;

/**
 * A machine whose power can be cut: User-mode Linux, with this machine's programs and a disk of its own. What a program in it
 * has not brought to the disk by fsync may be gone after a cut, as on any machine.
 */
export class MachineUnderPower {
  private readonly folder = mkdtempSync('/var/tmp/curfew-power-');
  private machine: ChildProcess | undefined;
  private output = '';

  private constructor() {}

  /** Makes its disk, which is empty. */
  static async make(mebibytes = 256): Promise<MachineUnderPower> {
    const machine = new MachineUnderPower();
    await runTool('truncate', ['-s', `${String(mebibytes)}M`, machine.disk]);
    await runTool('mkfs.ext4', ['-q', '-F', machine.disk]);
    return machine;
  }

  /** A file of this machine that the other one can read. */
  file(name: string): string {
    return join(this.folder, name);
  }

  /** Switches it on. `first` is what its shell does before it runs the program of the tests with its arguments. */
  boot(first: string, program: string, args: readonly string[]): void {
    const script = fileURLToPath(new URL(`${program}.js`, import.meta.url));
    const init = this.file('init');
    writeFileSync(init, `${INIT}${first}\nexec ${[process.execPath, script, ...args].join(' ')} 2>&1\n`);
    chmodSync(init, 0o755);
    this.output = '';
    const kernel = ['mem=768M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `ubd0=${this.disk}`];
    const console = ['con=null', 'con0=fd:0,fd:1', 'quiet', 'panic=-1'];
    this.machine = spawn('linux.uml', [...kernel, ...console, `init=${init}`], {
      // Its processes are those of one group, and go with it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // It keeps its memory in a file, where no disk has to be.
      env: { PATH: process.env['PATH'], HOME: this.folder, TMPDIR: '/dev/shm' },
    });
    for (const stream of [this.machine.stdout, this.machine.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** What its console has shown since it was switched on, line by line. */
  get lines(): string[] {
    // The last one may be cut short.
    return this.output.split(/\r*\n/).slice(0, -1);
  }

  /** Waits for a line that begins so. Errors: the machine has stopped, or a line says that something is broken. */
  async until(start: string): Promise<void> {
    const line = await eventually(
      () =>
        this.lines.find((one) => one.startsWith(start) || one.startsWith('BROKEN')) ?? (this.isOff && 'it has stopped'),
      { withinMs: 300_000, everyMs: 20, what: `a console that shows ${start}` },
    ).catch((cause: unknown) => {
      throw new Error(this.output.slice(-2_000), { cause });
    });
    if (!line.startsWith(start)) throw new Error(this.output.slice(-2_000));
  }

  private get isOff(): boolean {
    return this.machine?.exitCode !== null || this.machine.signalCode !== null;
  }

  /** Cuts its power: nothing of it runs any further. */
  async cutPower(): Promise<void> {
    const { machine } = this;
    if (machine?.pid === undefined || machine.exitCode !== null || machine.signalCode !== null) return;
    const over = once(machine, 'close');
    process.kill(-machine.pid, 'SIGKILL');
    await over;
  }

  async dispose(): Promise<void> {
    await this.cutPower();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get disk(): string {
    return this.file('disk');
  }
}
