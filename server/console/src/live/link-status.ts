import type { InstantMs } from '@curfew/shared/browser';

/** How fresh the page is: `staleSince` is when the first of its broken watches broke; undefined while all are live. */
export interface LinkPicture {
  readonly staleSince: InstantMs | undefined;
}

/** Knows which of the page's watches are broken, so that the header can say that what is shown may be old. */
export class LinkStatus {
  private readonly broken = new Map<object, InstantMs>();
  private readonly listeners = new Set<() => void>();
  private picture: LinkPicture = { staleSince: undefined };

  constructor(private readonly now: () => InstantMs) {}

  readonly current = (): LinkPicture => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Says that a watch is broken, or that it is live or gone. */
  report(watch: object, isBroken: boolean): void {
    if (isBroken === this.broken.has(watch)) return;
    if (isBroken) this.broken.set(watch, this.now());
    else this.broken.delete(watch);
    const first = [...this.broken.values()].sort((a, b) => a - b)[0];
    this.picture = { staleSince: first };
    for (const listener of this.listeners) listener();
  }
}
