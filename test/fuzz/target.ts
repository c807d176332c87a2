/** Reads one input; the next comes when it is done. */
export interface FuzzReader {
  (input: Buffer): boolean | Promise<boolean>;
  /** After the last input: judges those that wait to be judged many at a time, and leaves nothing behind. */
  readonly finish?: () => void | Promise<void>;
}

/** Something that reads what comes from outside. */
export interface FuzzTarget {
  readonly name: string;
  /** Patterns of the addresses of the modules whose branches are to be reached. */
  readonly modules: readonly string[];
  /** How many inputs a test makes of those that are kept, where each one takes long. */
  readonly more?: number;
  /** Inputs to begin with, beside those that are kept. */
  seeds(): readonly Buffer[] | Promise<readonly Buffer[]>;
  /**
   * Loads the reader. It gives whether it has understood an input; it fails when it has neither understood nor refused it in
   * its own words, or when that has cost more than it may.
   */
  open(): Promise<FuzzReader>;
}
