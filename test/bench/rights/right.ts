/** One resource, and how it is reached: what an admin types, without what has a default. */
export interface Place {
  /** The kind of its connector. */
  readonly kind: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly target: Readonly<Record<string, string>>;
}

/** What one resource has to give, in the hands of whoever gives and takes it. One call at a time. */
export interface Right {
  /** Finds the person, sees that they do not have it, gives it, and reads that back. */
  give(person: string): Promise<void>;
  /** Takes it from somebody to whom it was given here, and reads that back. */
  take(person: string): Promise<void>;
  close(): Promise<void>;
}

/** Places of one kind on servers of their own, with people who have nothing there. */
export interface Stage {
  readonly places: readonly Place[];
  /** A system with a folder of programs needs to know it before it starts. */
  readonly commandFolder?: string;
  /** How often somebody has something there, as the resource itself says. */
  held(): Promise<number>;
  close(): Promise<void>;
}

/** How many places a stage has: as many as most kinds have calls at once. */
export const PLACES = 4;

/** The places' numbers. */
export const placeNumbers: readonly number[] = Array.from({ length: PLACES }, (_, at) => at);

/** Errors: `isSo` is not what it should be. */
export function expectSo(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`);
}
