import { setTimeout as pause } from 'node:timers/promises';
import type { DeviceShell } from '../device-shell.js';
import { ManagedDevice } from '../managed-device.js';
import { moment, type Happening } from './history.js';

/** How long a person waits between two attempts: between these, ms. */
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [500, 1_500];
/** One attempt in so many is followed by a look at the machine's own sudo. */
const LOOK_EVERY = 10;
/** A shell's exit code for a program that a signal has ended is this and the signal's number. */
const KILLED = 128;
const LOOK =
  'visudo -c -q && setpriv --reuid=bob --regid=bob --clear-groups -- sudo -n /usr/bin/id -u >/dev/null; echo $?';

/** A real host, on which somebody tries sudo over and over, and to which things are done. */
export class FireDevice {
  private shells: { readonly alice: DeviceShell; readonly root: DeviceShell };
  private isOver = false;
  /** Held while something is done to it. */
  isBusy = false;
  private readonly trying: Promise<void>;

  /**
   * `id` is the device's on the servers; `tell` takes what is seen; `calm` is how many times longer than they would people wait
   * between two attempts: one machine can start only so many programs.
   */
  constructor(
    readonly managed: ManagedDevice,
    readonly id: string,
    private readonly tell: (happening: Happening) => void,
    private readonly calm: number,
  ) {
    this.shells = this.logIn();
    this.trying = this.keepTrying();
  }

  /** Tries sudo once, now. What a reboot cuts short has seen nothing. */
  async attempt(): Promise<void> {
    const begun = moment();
    const answer = await this.shells.alice.run('sudo -n true', 30_000).catch(() => undefined);
    const over = moment();
    if (answer === undefined || answer.exitCode > KILLED) return;
    const { exitCode, stderr } = answer;
    if (exitCode !== 0 && !stderr.includes('a password is required'))
      throw new Error(`sudo on ${this.managed.name}: exit code ${exitCode}: ${stderr}`);
    this.tell({ kind: 'attempt', device: this.id, begun, over, allowed: exitCode === 0 });
  }

  /** Does something to the device, after which a right may be gone before its end. */
  async disturb(what: string, work: () => Promise<void>): Promise<void> {
    const begun = moment();
    try {
      await work();
    } finally {
      this.tell({ kind: 'disturbance', device: this.id, what, begun, over: moment() });
    }
  }

  /** Power off and on, and everything is started as before. */
  async reboot(): Promise<void> {
    await this.managed.device.reboot();
    this.shells = this.logIn();
    await this.managed.startAgent();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.trying;
  }

  private async keepTrying(): Promise<void> {
    for (let at = 0; !this.isOver; at++) {
      await this.attempt();
      if (at % LOOK_EVERY === 0) await this.look();
      await pause(this.calm * (LEAST_WAIT_MS + Math.random() * (MOST_WAIT_MS - LEAST_WAIT_MS)));
    }
  }

  private async look(): Promise<void> {
    const answer = await this.shells.root.run(LOOK, 30_000).catch(() => undefined);
    if (answer === undefined || Number(answer.stdout) > KILLED) return;
    const isSound = answer.stdout.trim() === '0';
    this.tell({ kind: 'soundness', at: moment(), device: this.id, isSound });
  }

  private logIn() {
    const { device, aliceUid } = this.managed;
    return { alice: device.shell(aliceUid), root: device.shell('root') };
  }
}
