import { durationMs, sleep, type Clock, type Random } from '@curfew/shared';
import type { GrantAccount, PrivilegeHost } from '../ports/privilege-host.js';
import type { SelftestMachine } from '../ports/selftest-machine.js';
import { Rehearsal } from './rehearsal.js';

/** One thing that was tried. */
export interface SelftestCheck {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen. */
  readonly detail: string;
  /** When it was seen, by the clock of this boot; negative is before the deadline. Only where a deadline is meant. */
  readonly secondsAfterDeadline?: number;
}

export interface SelftestParts {
  readonly machine: SelftestMachine;
  readonly host: PrivilegeHost;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C: then everything is cleaned up and nothing more is tried. */
  readonly signal: AbortSignal;
  readonly report: (check: SelftestCheck) => void;
}

/** How long the right is given for whose end is watched. */
const SESSION_SECONDS = 6;
/** How late a right may end when the agent is dead. */
const BOUND_SECONDS = 5;
/** How long is looked after the bound, so that the figure of a failure is told and not only that it was one. */
const LOOK_ON_SECONDS = 3;
const PAUSE = durationMs(100);

/** Shows on this very machine that rights end: by themselves with the agent dead, and at once by a revoke. */
export class Selftest {
  private failed = false;

  constructor(private readonly parts: SelftestParts) {}

  /** Tries everything, and leaves the machine as it was, however it ends. Gives whether all held. */
  async run(): Promise<boolean> {
    const { machine, host, signal } = this.parts;
    await host.uninstall();
    await machine.sweep();
    const before = { settings: await machine.settings(), problem: await machine.sudoProblem() };
    signal.throwIfAborted();
    const account = await machine.makeAccount();
    try {
      await this.tryRights(account);
    } catch (error) {
      if (signal.aborted) throw error;
      this.check('the test itself', false, error instanceof Error ? error.message : String(error));
    } finally {
      await host.uninstall();
      await machine.removeAccount(account);
    }
    const problem = await machine.sudoProblem();
    this.check('sudo reads its rules', problem === before.problem, problem === '' ? 'visudo finds no error' : problem);
    const changed = differences(before.settings, await machine.settings());
    this.check(
      'everything is as before',
      changed.length === 0,
      changed.slice(0, 5).join(', ') || 'no file of /etc differs',
    );
    return !this.failed;
  }

  private async tryRights(account: GrantAccount): Promise<void> {
    const { machine } = this.parts;
    const early = await machine.trySudo(account);
    this.check('refused without a session', !early.allowed, early.said);
    // Whoever may use sudo anyway shows nothing about the end of a right.
    if (early.allowed) return;
    await this.tryDeadAgent(account);
    await this.tryRevoke(account);
  }

  private async tryDeadAgent(account: GrantAccount): Promise<void> {
    const { machine, host, clock } = this.parts;
    const agent = await Rehearsal.start(this.parts);
    try {
      const deadline = await agent.grant(account, SESSION_SECONDS);
      const during = await machine.trySudo(account);
      this.check('works in a session', during.allowed, during.allowed ? 'uid 0' : during.said);
      if (!during.allowed) return;
      await agent.kill();
      const after = (boot: number): number => Math.round((boot - deadline) / 100) / 10;
      const sudo = await this.lastTime(deadline, async () => (await machine.trySudo(account)).allowed);
      this.checkEnd(
        'refused on time with the agent killed',
        'sudo refused',
        after(sudo.goneAt ?? clock.bootTime()),
        sudo,
      );
      const rule = await this.lastTime(deadline, async () => (await host.list()).length > 0);
      this.checkEnd(
        'the rule is removed without the agent',
        'it was gone',
        after(rule.goneAt ?? clock.bootTime()),
        rule,
      );
    } finally {
      await agent.kill();
    }
  }

  private async tryRevoke(account: GrantAccount): Promise<void> {
    const { machine } = this.parts;
    const agent = await Rehearsal.start(this.parts);
    try {
      await agent.grant(account, 600);
      const during = await machine.trySudo(account);
      await agent.revoke();
      const next = await machine.trySudo(account);
      const detail = during.allowed ? `the next sudo said: ${next.said}` : `it did not work before: ${during.said}`;
      this.check('refused right after a revoke', during.allowed && !next.allowed, detail);
    } finally {
      await agent.kill();
    }
  }

  /** Looks until something is gone, or until long after the bound. `inTime` means: not seen after the bound. */
  private async lastTime(
    deadline: number,
    isThere: () => Promise<boolean>,
  ): Promise<{ readonly goneAt: number | undefined; readonly inTime: boolean }> {
    const { clock, signal } = this.parts;
    let seenAt = 0;
    for (;;) {
      const at = clock.bootTime();
      const inTime = seenAt <= deadline + BOUND_SECONDS * 1000;
      if (!(await isThere())) return { goneAt: at, inTime };
      seenAt = at;
      if (at > deadline + (BOUND_SECONDS + LOOK_ON_SECONDS) * 1000) return { goneAt: undefined, inTime: false };
      signal.throwIfAborted();
      await sleep(clock, PAUSE);
    }
  }

  private checkEnd(
    name: string,
    what: string,
    seconds: number,
    end: { goneAt: number | undefined; inTime: boolean },
  ): void {
    const text = `${Math.abs(seconds).toFixed(1)} s ${seconds < 0 ? 'before' : 'after'} the deadline`;
    const detail = end.goneAt === undefined ? `not even ${text}; the bound is ${BOUND_SECONDS} s` : `${what} ${text}`;
    this.check(name, end.inTime, detail, seconds);
  }

  private check(name: string, passed: boolean, detail: string, secondsAfterDeadline?: number): void {
    this.failed ||= !passed;
    this.parts.report({ name, passed, detail, ...(secondsAfterDeadline !== undefined && { secondsAfterDeadline }) });
  }
}

/** The names whose values differ, or that are in one of the two only. */
function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name));
}
