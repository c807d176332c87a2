import { createInstrumenter } from 'istanbul-lib-instrument';
import { fileURLToPath } from 'node:url';

/** What Node's module hooks (module.register) hand on; of a source no more than its text matters here. */
interface Loaded {
  readonly format: string;
  readonly source?: string | Uint8Array | null;
  readonly shortCircuit?: boolean;
}
type Load = (url: string, context: object) => Promise<Loaded>;

let places: readonly RegExp[] = [];

/** Takes the places, as patterns of addresses, whose modules count what runs in them. */
export function initialize(patterns: readonly string[]): void {
  places = patterns.map((pattern) => new RegExp(pattern));
}

/** Loads a module; one of the places with counters in it, in `globalThis.__coverage__`. */
export async function load(url: string, context: object, next: Load): Promise<Loaded> {
  const loaded = await next(url, context);
  const counts = loaded.format === 'module' && places.some((place) => place.test(url));
  if (!counts || loaded.source === null || loaded.source === undefined) return loaded;
  const instrumenter = createInstrumenter({ esModules: true, compact: true, coverageVariable: '__coverage__' });
  return {
    ...loaded,
    source: instrumenter.instrumentSync(Buffer.from(loaded.source as Uint8Array).toString(), fileURLToPath(url)),
  };
}
