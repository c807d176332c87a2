/** What a live collection shows: the things by id, whether the first picture is whole, and why there is none. */
export interface LivePicture<T> {
  readonly items: ReadonlyMap<string, T>;
  /** False until the first picture is whole. */
  readonly synced: boolean;
  /** Whether the link is down, so that things may have changed since. */
  readonly stale: boolean;
  /** Why the server refuses to tell. */
  readonly error: Error | undefined;
}

/**
 * A map that a watch keeps up to date. After a broken link the old picture stays until the new one is whole, so that
 * nothing flickers and nothing that ended meanwhile is left over. Tells its listeners at most once per frame.
 */
export class LiveCollection<T> {
  private items = new Map<string, T>();
  private next: Map<string, T> | undefined;
  private synced = false;
  private stale = false;
  private error: Error | undefined;
  private picture: LivePicture<T> = { items: this.items, synced: false, stale: false, error: undefined };
  private scheduled = false;
  private readonly listeners = new Set<() => void>();

  /** `keeps` says whether a thing still belongs in the collection; without it everything does. */
  constructor(
    private readonly idOf: (item: T) => string,
    private readonly onFrame: (fn: () => void) => void,
    private readonly keeps: (item: T) => boolean = () => true,
  ) {}

  readonly current = (): LivePicture<T> => this.picture;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A whole new picture begins. */
  begin(): void {
    this.next = new Map();
    this.error = undefined;
  }

  /** One thing as it stands now. */
  put(item: T): void {
    const target = this.next ?? this.items;
    if (this.keeps(item)) target.set(this.idOf(item), item);
    else target.delete(this.idOf(item));
    if (this.next === undefined || !this.synced) this.schedule();
  }

  /** The new picture is whole. */
  complete(): void {
    if (this.next !== undefined) this.items = this.next;
    this.next = undefined;
    this.synced = true;
    this.stale = false;
    this.schedule();
  }

  /** The link broke. */
  markStale(): void {
    this.stale = true;
    this.schedule();
  }

  /** The server refuses. */
  refuse(error: Error): void {
    this.error = error;
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.onFrame(() => {
      this.scheduled = false;
      const shown = this.synced ? this.items : (this.next ?? this.items);
      this.picture = { items: new Map(shown), synced: this.synced, stale: this.stale, error: this.error };
      for (const listener of this.listeners) listener();
    });
  }
}
