import { takeSome } from '../take-some.js';

/** What a device is to be told: a desired state that takes something away, any other, or how its people's requests stand. */
export type Push = 'loss' | 'state' | 'requests';

/** What is told in one turn of the event loop. */
export interface PushRound {
  /** Devices to be told of their desired state. */
  readonly states: readonly string[];
  /** Devices to be told of their people's requests. */
  readonly requests: readonly string[];
}

/** How many devices are told in one turn; and how many, of what takes nothing away: leases have to be signed. */
const [LOSSES_AT_ONCE, OTHERS_AT_ONCE] = [500, 100];

/**
 * Devices that wait to be told something. Those that lose a right come first, however many others wait; of the others only
 * a few are told at a time, so that a loss soon has its turn. However often a device is added, it is told once.
 */
export class PushQueue {
  private readonly waiting: Record<Push, Set<string>> = { loss: new Set(), state: new Set(), requests: new Set() };

  get size(): number {
    const { loss, state, requests } = this.waiting;
    return loss.size + state.size + requests.size;
  }

  add(deviceId: string, push: Push): void {
    this.waiting[push].add(deviceId);
  }

  /** Takes the next round out. */
  next(): PushRound {
    const { loss, state, requests } = this.waiting;
    const first = takeSome(loss, LOSSES_AT_ONCE);
    // A desired state is whole: whoever is told of a loss is told of the rest as well.
    for (const id of first) state.delete(id);
    if (first.length > 0) return { states: first, requests: [] };
    return { states: takeSome(state, OTHERS_AT_ONCE), requests: takeSome(requests, OTHERS_AT_ONCE) };
  }
}
