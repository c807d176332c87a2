import type { DeviceFacts, DeviceReport } from '@curfew/proto';
import { durationMs, MINUTE, SECOND, type Clock, type Logger } from '@curfew/shared';
import type { WatchedAccounts } from '../ports/account-directory.js';
import type { Machine } from '../ports/machine.js';
import type { HostCapabilities, PrivilegeHost } from '../ports/privilege-host.js';
import { factsToProto, reportToProto } from './device-report.js';

export interface DeviceWatchParts {
  readonly host: PrivilegeHost;
  readonly accounts: WatchedAccounts;
  readonly machine: Machine;
  readonly agentVersion: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the accounts are looked at: two calls of stat when nothing has changed. */
const ACCOUNTS_EVERY = durationMs(10 * SECOND);
/** How many of these looks pass until the machine itself is looked at, and made ready again, which starts programs. */
const LOOKS_PER_MACHINE = (10 * MINUTE) / ACCOUNTS_EVERY;

/** Knows what the server is to show of this device, and tells when that has changed. */
export class DeviceWatch {
  private facts: DeviceFacts | undefined;
  private capabilities: HostCapabilities | undefined;
  private accountsVersion = '';
  private last = '';
  private looks = 0;
  private told: readonly string[] = [];
  private readonly listeners = new Set<() => void>();
  private stopLooking = (): void => undefined;

  constructor(private readonly parts: DeviceWatchParts) {}

  /** What is wrong with the machine, one plain sentence each. */
  get findings(): readonly string[] {
    return [...(this.capabilities?.findings ?? []), ...(this.parts.host.troubles?.() ?? [])];
  }

  /** What was last found out about the machine. */
  get deviceFacts(): DeviceFacts | undefined {
    return this.facts;
  }

  /** Makes the machine ready for rights, and looks at it as a whole. */
  async prepare(): Promise<void> {
    const { host, machine, agentVersion } = this.parts;
    this.capabilities = await host.prepare();
    this.tellFindings();
    this.facts = factsToProto(await machine.facts(), agentVersion, this.capabilities);
  }

  /** Logs what is newly wrong; gives whether anything is other than when it was last asked. */
  private tellFindings(): boolean {
    const [before, now] = [this.told, this.findings];
    this.told = now;
    for (const finding of now) if (!before.includes(finding)) this.parts.logger.warn('finding', { finding });
    return now.length !== before.length || now.some((finding) => !before.includes(finding));
  }

  /** The report as of now. */
  async report(): Promise<DeviceReport> {
    const { accounts, machine, agentVersion } = this.parts;
    this.accountsVersion = await accounts.version();
    const facts = (this.facts ??= factsToProto(await machine.facts(), agentVersion, this.capabilities));
    const report = reportToProto(facts, await accounts.list(), this.findings);
    this.last = JSON.stringify(report);
    return report;
  }

  /** Calls the listener when a report would differ from the one before. */
  onChange(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Begins to look, now and then. */
  start(): void {
    this.stopLooking = this.parts.clock.after(ACCOUNTS_EVERY, () => {
      void this.look().finally(() => {
        this.start();
      });
    });
  }

  stop(): void {
    this.stopLooking();
  }

  /** One look; an error is logged, and the next look tries again. */
  async look(): Promise<void> {
    const { accounts, logger } = this.parts;
    this.looks += 1;
    try {
      const whole = this.looks % LOOKS_PER_MACHINE === 0;
      if (whole) await this.prepare();
      const isFound = this.tellFindings();
      if (!whole && !isFound && (await accounts.version()) === this.accountsVersion) return;
      const before = this.last;
      await this.report();
      if (this.last !== before) for (const listener of this.listeners) listener();
    } catch (error) {
      logger.warn('the device could not be looked at, will try again', { error });
    }
  }
}
