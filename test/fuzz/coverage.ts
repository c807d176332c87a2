/** The counters of one instrumented file (istanbul-lib-instrument): how often statements, functions and branches ran. */
interface FileCounters {
  readonly s: Record<string, number>;
  readonly f: Record<string, number>;
  readonly b: Record<string, number[]>;
}

/** From this count on, more often says nothing new. */
const MOST = 6;

/** Knows what has run so far, and says when an input ran something else: another branch, or one of them much more often. */
export class Coverage {
  private readonly seen = new Set<string>();
  private readonly files: readonly FileCounters[];

  /** Errors: nothing counts, so that nothing would ever be new. */
  constructor() {
    const { __coverage__: counted = {} } = globalThis as { __coverage__?: Record<string, FileCounters> };
    this.files = Object.values(counted);
    if (this.files.length === 0) throw new Error('no module counts what runs in it');
  }

  /** How many different things have run. */
  get size(): number {
    return this.seen.size;
  }

  /** Whether something ran since the last call that had not run before, and sets every counter back. */
  takeNews(): boolean {
    const before = this.seen.size;
    this.files.forEach(({ s, f, b }, file) => {
      for (const [kind, counters] of [
        ['s', s],
        ['f', f],
      ] as const)
        for (const [id, count] of Object.entries(counters))
          if (count > 0) {
            this.note(`${file}${kind}${id}`, count);
            counters[id] = 0;
          }
      for (const [id, ways] of Object.entries(b))
        ways.forEach((count, way) => {
          if (count === 0) return;
          this.note(`${file}b${id}.${way}`, count);
          ways[way] = 0;
        });
    });
    return this.seen.size > before;
  }

  private note(what: string, count: number): void {
    this.seen.add(`${what}:${Math.min(MOST, Math.floor(Math.log2(count)))}`);
  }
}
