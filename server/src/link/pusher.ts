import { durationMs, SECOND, type Clock, type Logger } from '@curfew/shared';
import { nextTurn } from '../next-turn.js';
import { PushQueue, type Push, type PushRound } from './push-queue.js';

/** How long those wait whom the ledger could not be asked about. */
const AGAIN = durationMs(SECOND);

export interface PusherParts<State extends { readonly device: { readonly id: string } }> {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isLinked: (deviceId: string) => boolean;
  /** What devices should hold now. */
  readonly desired: (deviceIds: readonly string[]) => Promise<readonly State[]>;
  readonly tellState: (state: State) => Promise<void>;
  readonly tellRequests: (deviceId: string) => Promise<void>;
}

/**
 * Tells devices what waits for them, one round after the other, so that no two of one device overtake each other. Who could
 * not be told is told a moment later: nobody else would, and what a device is not told of stays as it is until its end.
 */
export class Pusher<State extends { readonly device: { readonly id: string } }> {
  private readonly waiting = new PushQueue();
  private isBusy = false;

  constructor(private readonly parts: PusherParts<State>) {}

  /** How many devices wait. */
  get size(): number {
    return this.waiting.size;
  }

  add(deviceId: string, push: Push): void {
    this.waiting.add(deviceId, push);
  }

  /** Begins with what waits, unless it is under way. */
  start(): void {
    if (this.isBusy || this.waiting.size === 0) return;
    this.isBusy = true;
    void this.run().finally(() => {
      this.isBusy = false;
      this.start();
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) {
      if (!(await this.tell(this.waiting.next())))
        await new Promise<void>((resolve) => {
          this.parts.clock.after(AGAIN, resolve);
        });
      // The first devices of a bulk work and answer while the others are told.
      if (this.waiting.size > 0) await nextTurn();
    }
  }

  /** Gives whether everybody was told who is linked. */
  private async tell({ states, requests }: PushRound): Promise<boolean> {
    const { desired, tellState, tellRequests } = this.parts;
    const untold: string[] = [];
    // Whether it takes something away is not known any more, so it is taken for that.
    const again = (push: Push) => (id: string) => {
      untold.push(id);
      this.waiting.add(id, push);
    };
    await this.try(states, again('loss'), async () => {
      for (const state of states.length > 0 ? await desired(states) : [])
        await this.try([state.device.id], again('loss'), () => tellState(state));
    });
    for (const id of requests) await this.try([id], again('requests'), () => tellRequests(id));
    return untold.length === 0;
  }

  private async try(ids: readonly string[], again: (id: string) => void, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.parts.logger.error('a push failed, will try again', { error });
      ids.filter(this.parts.isLinked).forEach(again);
    }
  }
}
