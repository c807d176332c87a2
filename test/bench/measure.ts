import { agentAtRest } from './agent-at-rest.js';
import { bulkRevoke } from './bulk-revoke.js';
import { connectorRates } from './connector-rates.js';
import { consoleLists } from './console-lists.js';
import { endToEnd } from './end-to-end.js';
import { endingProcesses } from './ending-processes.js';
import { expiryStorm } from './expiry-storm.js';
import { growth } from './growth.js';
import { linkCost } from './link-cost.js';
import { lists } from './lists.js';
import type { Outcome } from './outcome.js';
import { packagedAgent } from './packaged-agent.js';
import { reconnectStorm } from './reconnect-storm.js';
import { revokeLatency } from './revoke-latency.js';
import type { BenchSettings } from './settings.js';
import { soak } from './soak.js';
import { revokeOfAll } from './revoke-of-all.js';
import { stateChanges } from './state-changes.js';
import { sudoCost } from './sudo-cost.js';
import { twoServers } from './two-servers.js';

const MEASURES: Readonly<Record<string, (settings: BenchSettings) => Promise<Outcome>>> = {
  B1: revokeLatency,
  B1b: endToEnd,
  B2: bulkRevoke,
  B2b: revokeOfAll,
  B3: linkCost,
  B4: reconnectStorm,
  B5: stateChanges,
  B6: agentAtRest,
  B6b: packagedAgent,
  B7: lists,
  B7c: consoleLists,
  B8: sudoCost,
  B9: endingProcesses,
  B10: connectorRates,
  B10b: expiryStorm,
  B11: twoServers,
  B12: growth,
  B13: soak,
};

/** Runs one benchmark; this process is its load generator. */
export function measure(id: string, settings: BenchSettings): Promise<Outcome> {
  const benchmark = MEASURES[id];
  if (benchmark === undefined) throw new Error(`there is no benchmark ${id}`);
  return benchmark(settings);
}
