import type { AgentState, FoundRight, GrantOrder, RightRef, StateFile, StoredState } from '@curfew/agent';
import { FakePrivilegeHost } from '@curfew/agent/fake-parts';
import { bootMs, ManualClock } from '@curfew/shared';
import { PEOPLE } from './model-server.js';

/** How long after a deadline the machine itself takes a right away, with the agent dead. */
const REMOVER_LATE_MS = 3_000;

/** What a device has seen of revokes, as the model reckons it from what has arrived. */
export interface SeenFloor {
  readonly incarnation: number;
  readonly generation: number;
  readonly revokedEpoch: number;
  /** The newest checkpoint of the log that came with it. */
  readonly checkpoint: string;
}

export const NOTHING_SEEN: SeenFloor = { incarnation: 0, generation: 0, revokedEpoch: 0, checkpoint: '' };

/** A state as it stands on disk, and what had been seen when it was written. */
export interface SavedState {
  readonly state: AgentState;
  readonly seen: SeenFloor;
}

/** A host whose independent removers do their work, and whose removals can be made to fail. */
class ModelHost extends FakePrivilegeHost {
  isStuck = false;
  private readonly deadlines = new Map<string, GrantOrder>();

  constructor() {
    super(new Map(PEOPLE.map((person) => [person.uid, person])));
  }

  override arm(order: GrantOrder): Promise<void> {
    this.deadlines.set(order.sessionId, order);
    return super.arm(order);
  }

  override remove(right: RightRef | FoundRight): Promise<void> {
    return this.isStuck ? Promise.reject(new Error('the file system is read-only')) : super.remove(right);
  }

  /** What the armed removers of the machine do by now. */
  runRemovers(clock: ManualClock): void {
    for (const sessionId of this.removers) {
      const order = this.deadlines.get(sessionId);
      if (order !== undefined && clock.bootTime() >= order.deadline + REMOVER_LATE_MS) this.rights.delete(sessionId);
    }
  }
}

/** The device's machine: what outlives an agent's process, and what outlives a boot. */
export class ModelMachine {
  host = new ModelHost();
  clock = new ManualClock();
  bootId = 'boot-1';
  /** Every state that was saved, oldest first; the last is on disk. */
  readonly saves: SavedState[] = [];
  private boots = 1;

  /** Everything but the disk begins anew. */
  reboot(): void {
    this.host = new ModelHost();
    this.clock = new ManualClock(this.clock.now(), bootMs(1_000));
    this.bootId = `boot-${++this.boots}`;
  }

  get onDisk(): SavedState | undefined {
    return this.saves.at(-1);
  }
}

/** A process's way to its machine. When it is killed nothing more of it arrives, wherever it was. */
export class ProcessLife {
  isOver = false;
  /** Dies before this many more steps; never while undefined. */
  private stepsLeft: number | undefined;

  /** To be killed before the n-th step from now on. */
  killAfter(steps: number | undefined): void {
    this.stepsLeft = steps;
  }

  end(): void {
    this.isOver = true;
  }

  private whileAlive(): Promise<void> | undefined {
    return this.isOver ? new Promise(() => undefined) : undefined;
  }

  /** What the process has done to the machine, oldest first. */
  readonly steps: string[] = [];

  /** One thing that the process does to the machine. */
  async step<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.stepsLeft !== undefined && this.stepsLeft-- <= 0) this.isOver = true;
    await this.whileAlive();
    this.steps.push(what);
    const done = await work();
    await this.whileAlive();
    return done;
  }
}

/** A host as a process reaches it. `made` is called with each right that was made. */
export function hostOf(machine: ModelMachine, life: ProcessLife, made: (order: GrantOrder) => void) {
  const { host } = machine;
  return {
    prepare: () => life.step('prepare', () => host.prepare()),
    list: () => life.step('list', () => host.list()),
    arm: (order: GrantOrder) => life.step('arm', () => host.arm(order)),
    grant: (order: GrantOrder) =>
      life.step('grant', async () => {
        await host.grant(order);
        made(order);
      }),
    inspect: (right: RightRef) => life.step('inspect', () => host.inspect(right)),
    remove: (right: RightRef | FoundRight) => life.step('remove', () => host.remove(right)),
    armed: () => life.step('armed', () => host.armed()),
    disarm: (sessionId: string) => life.step('disarm', () => host.disarm(sessionId)),
    uninstall: () => life.step('uninstall', () => host.uninstall()),
  };
}

/** The state file as a process reaches it. */
export function stateFileOf(
  machine: ModelMachine,
  life: ProcessLife,
  seen: () => SeenFloor,
  written: (state: AgentState) => AgentState,
): StateFile {
  return {
    load: () =>
      life.step('load', async (): Promise<StoredState> => {
        const { onDisk } = machine;
        return onDisk === undefined ? { found: 'nothing' } : { found: 'state', state: onDisk.state };
      }),
    save: (state) => {
      const saved = { state: structuredClone(written(state)), seen: seen() };
      return life.step('save', async () => {
        machine.saves.push(saved);
      });
    },
  };
}
