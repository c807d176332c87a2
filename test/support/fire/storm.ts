import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster, Server } from './cluster.js';
import type { FireDevice } from './fire-device.js';
import type { LightAgents } from './light-agents.js';

/** How long it is between one blow and the next: between these, ms. */
const [LEAST_WAIT_MS, MOST_WAIT_MS] = [1_000, 6_000];

/** No blow is dealt while fewer of the light agents have a link: else thousands of them would never come back. */
const LEAST_LINKED = 0.5;

/** What a storm may hit. */
export interface Targets {
  readonly cluster: Cluster;
  readonly devices: readonly FireDevice[];
  /** They are not hit themselves; each server's fate is theirs. */
  readonly light: Pick<LightAgents, 'linked'>;
  /** The share of the blows that is the devices': from 0 to 1. */
  readonly devicesShare: number;
}

/** Deals blows to servers, PostgreSQL, the networks between, and devices, several at a time; and mends everything in the end. */
export class Storm {
  /** How often each kind of blow was dealt. */
  readonly dealt = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly hit = new Set<unknown>();
  private readonly problems: unknown[] = [];
  private isOver = false;

  constructor(
    private readonly targets: Targets,
    private readonly random: () => number,
  ) {}

  /** Deals blows until it is told to end; then waits until what was broken is whole. Errors: the first of any mending. */
  async rage(): Promise<void> {
    while (!this.isOver && this.problems.length === 0) {
      await pause(this.between(LEAST_WAIT_MS, MOST_WAIT_MS));
      if (this.targets.light.linked >= LEAST_LINKED) this.strike();
    }
    await Promise.all(this.underWay);
    if (this.problems.length > 0) throw this.problems[0];
  }

  end(): void {
    this.isOver = true;
  }

  private strike(): void {
    const { cluster, devices, devicesShare } = this.targets;
    if (this.random() < devicesShare) {
      this.on(this.any(devices), (device) => this.atDevice(device));
      return;
    }
    const dice = this.random();
    if (dice < 0.6) this.on(this.any(cluster.servers), (server) => this.atServer(server));
    else if (dice < 0.8) this.on(cluster.postgres, () => this.atPostgres());
    else this.on(this.any(cluster.servers)?.line, (line) => this.atLine(line));
  }

  /** Begins a blow on something that is not under one already. */
  private on<T>(target: T | undefined, blow: (target: T) => readonly [string, Promise<void>]): void {
    if (target === undefined || this.hit.has(target)) return;
    this.hit.add(target);
    const [name, work] = blow(target);
    this.dealt.set(name, (this.dealt.get(name) ?? 0) + 1);
    const one: Promise<void> = work
      .catch((error: unknown) => void this.problems.push(new Error(name, { cause: error })))
      .finally(() => {
        this.hit.delete(target);
        this.underWay.delete(one);
      });
    this.underWay.add(one);
  }

  private atServer(server: Server): readonly [string, Promise<void>] {
    const { plane } = server;
    const away = this.between(0, 5_000);
    const anew = (signal: 'SIGKILL' | 'SIGTERM') =>
      plane
        .stop(signal)
        .then(() => pause(away))
        .then(() => server.restart());
    const dice = this.random();
    if (dice < 0.5) return ['a server was killed', anew('SIGKILL')];
    if (dice < 0.75) return ['a server was stopped', anew('SIGTERM')];
    const { pid } = plane;
    process.kill(pid, 'SIGSTOP');
    return ['a server stood still', pause(this.between(1_000, 30_000)).then(() => void process.kill(pid, 'SIGCONT'))];
  }

  private atPostgres(): readonly [string, Promise<void>] {
    const { postgres } = this.targets.cluster;
    const how = this.random() < 0.7 ? 'crash' : 'shutdown';
    const away = this.between(0, 5_000);
    return [
      how === 'crash' ? 'PostgreSQL was killed' : 'PostgreSQL was stopped',
      postgres
        .down(how)
        .then(() => pause(away))
        .then(() => postgres.up()),
    ];
  }

  private atLine(line: Server['line']): readonly [string, Promise<void>] {
    const well = (): void => line.restore();
    const dice = this.random();
    if (dice < 0.4) {
      line.cut();
      return ['a server was cut from PostgreSQL', pause(this.between(500, 5_000)).then(well)];
    }
    if (dice < 0.7) {
      line.stall();
      return ['nothing came through between a server and PostgreSQL', pause(this.between(1_000, 15_000)).then(well)];
    }
    line.slow({ delayMs: this.between(20, 200) });
    return ['PostgreSQL was slow', pause(this.between(2_000, 10_000)).then(well)];
  }

  private atDevice(target: FireDevice): readonly [string, Promise<void>] {
    const { managed } = target;
    const dice = this.random();
    const away = this.between(0, 5_000);
    if (dice < 0.4)
      return [
        'an agent was killed',
        target.disturb('kill', async () => {
          await managed.agent.kill('SIGKILL');
          await pause(away);
          await managed.startAgent();
        }),
      ];
    if (dice < 0.6) return ['a device was switched off and on', target.disturb('reboot', () => target.reboot())];
    const { network, pid } = managed.device;
    return [
      "a device's cable was out",
      target.disturb('cable', async () => {
        await network.remove();
        await pause(this.between(1_000, 20_000));
        await network.attach(pid);
      }),
    ];
  }

  private any<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  private between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }
}
