import type { DeviceRow } from '../devices/find-device.js';
import type { ConfirmedMove } from '../metrics/measures.js';
import type { UseCaseContext } from '../use-case-context.js';
import { observe, type DeviceObservation, type Observation } from './observe.js';

interface Waiting {
  readonly observation: DeviceObservation;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes observed states in. Those that wait while the ledger is busy are applied together: after a bulk revoke a
 * thousand devices answer at the same time, and statements for all of them cost little more than for one.
 */
export class Observations {
  private waiting: Waiting[] = [];

  constructor(private readonly context: UseCaseContext) {}

  /** Resolves when what the observation tells is durable. */
  take(device: DeviceRow, observation: Observation): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ observation: { ...observation, device }, resolve, reject });
      if (this.waiting.length === 1) void this.apply();
    });
  }

  private async apply(): Promise<void> {
    let batch: Waiting[] | undefined;
    try {
      const moves = await this.write(() => (batch ??= this.nextBatch()));
      this.context.measures?.confirmed(moves);
      for (const { resolve } of batch ?? []) resolve();
    } catch (error) {
      const failed = batch ?? this.nextBatch();
      // One observation that cannot be applied must not keep the others from it.
      for (const one of failed)
        if (failed.length === 1) one.reject(error);
        else void this.writeAlone(one).then(one.resolve, one.reject);
    }
  }

  private async writeAlone(one: Waiting): Promise<void> {
    const moves = await this.write(() => [one]);
    this.context.measures?.confirmed(moves);
  }

  /** First: a revoke counts when a device has confirmed it. There is one such write at a time, whatever many devices say. */
  private write(batch: () => readonly Waiting[]): Promise<ConfirmedMove[]> {
    const { ledger, clock } = this.context;
    const observed = (): DeviceObservation[] => batch().map(({ observation }) => observation);
    return ledger.write((tx) => observe(tx, clock.now(), observed()), 'first');
  }

  /** Everything that waits, but of each device only the first: the next is compared with what that one has changed. */
  private nextBatch(): Waiting[] {
    const first = new Map<string, Waiting>();
    const later: Waiting[] = [];
    for (const one of this.waiting)
      if (first.has(one.observation.device.id)) later.push(one);
      else first.set(one.observation.device.id, one);
    this.waiting = later;
    if (later.length > 0) void this.apply();
    return [...first.values()];
  }
}
