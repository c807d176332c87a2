import { bulkRevoke } from './bulk-revoke.js';
import { consoleLists } from './console-lists.js';
import { endToEnd } from './end-to-end.js';
import { lists } from './lists.js';
import type { Outcome } from './outcome.js';
import { revokeLatency } from './revoke-latency.js';
import type { BenchSettings } from './settings.js';
import { stateChanges } from './state-changes.js';

const MEASURES: Readonly<Record<string, (settings: BenchSettings) => Promise<Outcome>>> = {
  B1: revokeLatency,
  B1b: endToEnd,
  B2: bulkRevoke,
  B5: stateChanges,
  B7: lists,
  B7c: consoleLists,
};

/** Runs one benchmark; this process is its load generator. */
export function measure(id: string, settings: BenchSettings): Promise<Outcome> {
  const benchmark = MEASURES[id];
  if (benchmark === undefined) throw new Error(`there is no benchmark ${id}`);
  return benchmark(settings);
}
