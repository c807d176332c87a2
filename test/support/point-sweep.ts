import { LEDGER_PARTS } from './ledger-file.js';
import type { LedgerPoint, RevokeLane } from './revoke-lane.js';

/** The calls by which a database changes its files, and makes sure of it. */
const CALLS = ['write', 'pwrite64', 'fsync', 'fdatasync', 'ftruncate', 'fallocate', 'unlink'] as const;

/** How often a call was made on a file around one revoke. */
export interface CallCount {
  readonly file: (typeof LEDGER_PARTS)[number];
  readonly call: string;
  readonly count: number;
}

/** A call of a watched server: what it was, and the file or connection that it was about. */
export interface SeenCall {
  readonly call: string;
  readonly target: string;
}

/** Watches one undisturbed revoke. */
export async function watchRevoke(lane: RevokeLane, log: 'full' | 'short'): Promise<SeenCall[]> {
  await lane.arm(log);
  const lines = await lane.watch([...CALLS, 'writev']);
  await lane.resume();
  await lane.isRevoked();
  return lines.flatMap((line) => {
    const [, call, target] = /^(\w+)\((?:\d+<)?([^>]*)/.exec(line) ?? [];
    return call === undefined || target === undefined ? [] : [{ call, target }];
  });
}

/** Counts the calls on each of the ledger's files. */
export function countCalls(seen: readonly SeenCall[], ledgerFile: string): CallCount[] {
  return LEDGER_PARTS.flatMap((file) =>
    CALLS.map((call) => {
      const own = seen.filter((one) => one.call === call && one.target === ledgerFile + file);
      return { file, call, count: own.length };
    }),
  ).filter(({ count }) => count > 0);
}

/**
 * Strikes at the first such call, the one after `step` more, and so on, on several lanes at once, until there is no such
 * call any more. `strike` says whether its point was met. Gives how many were.
 */
export async function sweep(
  lanes: readonly RevokeLane[],
  kind: Omit<LedgerPoint, 'nth'>,
  step: number,
  strike: (lane: RevokeLane, point: LedgerPoint) => Promise<boolean>,
): Promise<number> {
  let [next, met, beyond] = [1, 0, false];
  const ends = await Promise.allSettled(
    lanes.map(async (lane) => {
      try {
        while (!beyond) {
          const point = { ...kind, nth: next };
          next += step;
          if (await strike(lane, point)) met++;
          else beyond = true;
        }
      } finally {
        // The other lanes finish the point that they are at, and no more.
        beyond = true;
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return met;
}
