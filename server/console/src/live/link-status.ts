import type { InstantMs } from '@curfew/shared/browser';
import type { WatchState } from '../api/watch.js';

/** How fresh the page is. */
export interface LinkPicture {
  /** When the first of the page's watches broke or was let go of, or a question was lost; undefined while all is well. */
  readonly staleSince: InstantMs | undefined;
  /** Whether the server refuses to go on telling what the page shows. */
  readonly isRefused: boolean;
}

type Fault = { readonly kind: 'broken'; readonly since: InstantMs } | { readonly kind: 'refused' };

/** Knows which of the page's watches are not live, and which of its questions were lost, so that the header can say that what is shown may be old. */
export class LinkStatus {
  private readonly faults = new Map<object, Fault>();
  private readonly listeners = new Set<() => void>();
  private picture: LinkPicture = { staleSince: undefined, isRefused: false };

  constructor(private readonly now: () => InstantMs) {}

  readonly current = (): LinkPicture => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes how a watch stands. One that connects is no better than it was: what it has told before may be old. */
  follow(watch: object, state: WatchState): void {
    if (state === 'refused') this.put(watch, { kind: 'refused' });
    else if (state === 'broken') this.letGo(watch);
    else if (state !== 'connecting') this.forget(watch);
  }

  /** Says that a watch or a question tells nothing from now on, and that what it has told is still shown. */
  letGo(watch: object): void {
    if (this.faults.get(watch)?.kind !== 'broken') this.put(watch, { kind: 'broken', since: this.now() });
  }

  /** Says that a watch or a question is well, or that nothing of it is shown any more. */
  forget(watch: object): void {
    if (this.faults.delete(watch)) this.tell();
  }

  private put(watch: object, fault: Fault): void {
    this.faults.set(watch, fault);
    this.tell();
  }

  private tell(): void {
    const faults = [...this.faults.values()];
    const [first] = faults.flatMap((fault) => (fault.kind === 'broken' ? [fault.since] : [])).sort((a, b) => a - b);
    this.picture = { staleSince: first, isRefused: faults.some(({ kind }) => kind === 'refused') };
    for (const listener of this.listeners) listener();
  }
}
