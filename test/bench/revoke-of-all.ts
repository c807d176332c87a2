import { DeviceServiceService, RevokeSessionsRequest, SessionServiceService } from '@curfew/proto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { during } from './during.js';
import { LargePlane } from './large-plane.js';
import { Operator } from './operator.js';
import { single, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { timed } from './statistics.js';

/** How long somebody else rests between two writes, and how many they make before the revoke. */
const [REST_MS, BEFORE] = [20, 20];
const HOUR = { seconds: 3_600n, nanos: 0 };
/** As long as somebody waits who must know that everything is over. */
const GOAL = { atMost: 3_000 };

/**
 * B2b: one revoke of everything in a large ledger, from the call until it is durable and answered, and how long the
 * writes of somebody else take before and meanwhile. The devices are out of reach: it is the ledger that is measured.
 */
export const revokeOfAll = (settings: BenchSettings): Promise<Outcome> =>
  during(LargePlane.start(settings, 1), async ({ plane, operator }) => {
    const other = new Operator(plane.address, readFileSync(plane.caFile), plane.ownerToken);
    const write = async (): Promise<number> => {
      await pause(REST_MS);
      return timed(() => other.call(DeviceServiceService.createJoinToken, { uses: 1, ttl: HOUR }));
    };
    try {
      const before: number[] = [];
      while (before.length < BEFORE) before.push(await write());
      const over = new AbortController();
      const revoking = timed(() => revokeEverything(operator, settings.sessions)).finally(() => {
        over.abort();
      });
      const writing = async (): Promise<number[]> => {
        const writes: number[] = [];
        while (!over.signal.aborted) writes.push(await write());
        return writes;
      };
      const [took, meanwhile] = await Promise.all([revoking, writing()]);
      const rows = settings.sessions;
      return {
        ratios: [],
        figures: [
          single('one revoke of all, call to answer', rows, 'ms', [took], GOAL),
          single('the longest write of another, meanwhile', rows, 'ms', [Math.max(...meanwhile)], GOAL),
          single('the longest write of another, before', rows, 'ms', [Math.max(...before)]),
        ],
      };
    } finally {
      other.close();
    }
  });

async function revokeEverything(operator: Operator, expected: number): Promise<void> {
  const request = RevokeSessionsRequest.fromPartial({
    selection: { $case: 'everything', value: true },
    reason: 'benchmark',
  });
  const { results } = await operator.call(SessionServiceService.revokeSessions, request);
  if (results.length !== expected) throw new Error(`${results.length} sessions were revoked, not ${expected}`);
}
