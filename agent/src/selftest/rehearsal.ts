import {
  CurfewError,
  durationMs,
  generateLeaseKey,
  leasePublicKey,
  leaseSigningKey,
  newId,
  signLease,
  sleep,
  type Clock,
  type LeaseSigningKey,
  type Random,
} from '@curfew/shared';
import { fork, type ChildProcess } from 'node:child_process';
import type { GrantAccount } from '../ports/privilege-host.js';
import type { FromAgent, ToAgent } from './rehearsal-messages.js';

type Observed = Extract<FromAgent, { kind: 'observed' }>;

/** How long the agent may take to start, and to do what it is told. */
const PATIENCE = durationMs(30_000);

export interface RehearsalParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** The selftest's own agent and, in this process, its server: a throw-away key that signs leases for it. */
export class Rehearsal {
  private nonce = '';
  private helloAt = 0;
  private observed: Observed | undefined;
  private generation = 0;
  private epoch = 0;
  private readonly deviceKeyHash: string;

  private constructor(
    private readonly child: ChildProcess,
    private readonly key: LeaseSigningKey,
    private readonly parts: RehearsalParts,
  ) {
    this.deviceKeyHash = parts.random.bytes(32).toString('hex');
    child.on('message', (message: FromAgent) => {
      if (message.kind === 'observed') this.observed = message;
      else [this.nonce, this.helloAt] = [message.nonce, parts.clock.bootTime()];
    });
  }

  /** Starts the agent, and waits until it is ready. */
  static async start(parts: RehearsalParts): Promise<Rehearsal> {
    const child = fork(process.argv[1] ?? '', ['selftest-agent'], {
      execArgv: process.execArgv,
      env: {},
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('error', () => undefined);
    const rehearsal = new Rehearsal(child, await leaseSigningKey(generateLeaseKey()), parts);
    try {
      const leaseKeys = { version: 1, keys: [await leasePublicKey(rehearsal.key)] };
      rehearsal.tell({ kind: 'terms', deviceKeyHash: rehearsal.deviceKeyHash, leaseKeys });
      await rehearsal.until(() => rehearsal.nonce !== '', 'the agent to start');
      return rehearsal;
    } catch (error) {
      await rehearsal.kill();
      throw error;
    }
  }

  /** Gives the account a right. Returns its deadline on this boot's clock. Errors: SESSION_REFUSED. */
  async grant(account: GrantAccount, seconds: number): Promise<number> {
    const { clock, random } = this.parts;
    const sessionId = newId('session', random);
    const now = clock.now();
    const lease = await signLease(
      {
        sessionId,
        deviceKeyHash: this.deviceKeyHash,
        account: { name: account.name, uid: account.uid, sid: account.sid, fingerprint: account.fingerprint },
        options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '' },
        incarnation: 1,
        epoch: (this.epoch += 1),
        nonce: this.nonce,
        // The duration counts from when the agent sent its nonce; what has passed since is no part of the test.
        durationMs: seconds * 1000 + Math.floor(clock.bootTime() - this.helloAt),
        wallEndMs: now + seconds * 1000,
        issuedAtMs: now,
      },
      this.key,
    );
    this.desire([lease], 0);
    const settled = await this.until(() => {
      const refusal = this.observed?.refused.find((refused) => refused.sessionId === sessionId);
      const held = this.observed?.held.find((right) => right.sessionId === sessionId);
      return refusal ?? held;
    }, 'the right to be made');
    if ('code' in settled) throw new CurfewError('SESSION_REFUSED', { detail: `${settled.code}: ${settled.detail}` });
    return settled.deadline;
  }

  /** Takes every right away, as a revoke does, and waits until the agent has read that back. */
  async revoke(): Promise<void> {
    this.desire([], this.epoch);
    const done = (): boolean => this.observed?.generation === this.generation && this.observed.held.length === 0;
    await this.until(done, 'the revoke to be applied');
  }

  /** Ends the agent at once, as nothing that it could catch. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await ended;
  }

  private desire(leases: string[], revokedEpoch: number): void {
    this.tell({ kind: 'desired', generation: (this.generation += 1), revokedEpoch, leases });
  }

  private tell(message: ToAgent): void {
    this.child.send(message, () => undefined);
  }

  private async until<T>(probe: () => T, what: string): Promise<Exclude<T, false | undefined>> {
    const { clock, signal } = this.parts;
    const giveUpAt = clock.bootTime() + PATIENCE;
    for (;;) {
      const value = probe();
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
      signal.throwIfAborted();
      if (this.child.exitCode !== null || this.child.signalCode !== null || clock.bootTime() > giveUpAt)
        throw new CurfewError('WAIT_TIMED_OUT', { what });
      await sleep(clock, durationMs(20));
    }
  }
}
