import { durationMs, sleep, type Clock } from '@curfew/shared';
import type { ProcessRow, ProcessTable, SessionCgroups } from '../ports/process-table.js';
import { isSudoOf, processKey, sessionMembers, withDescendants, type FollowedSession } from './session-members.js';

/** What became of a session's processes. */
export interface ProcessOutcome {
  /** How many were ended. */
  readonly ended: number;
  /** How many run on, because they could not be ended or were not to be. */
  readonly left: number;
  /** What runs on, some of it, each program's name once. Hostile text. */
  readonly leftNames: string[];
}

export interface EndingParts {
  readonly table: ProcessTable;
  readonly cgroups: Pick<SessionCgroups, 'kill'>;
  readonly clock: Clock;
  /** Where this machine's sudo is. */
  readonly sudo: string;
  /** Processes that are not to be ended, whatever they came from: this program and what holds it up. */
  readonly spared: ReadonlySet<number>;
  /** Processes by `processKey` that go on, with all that came from them: Curfew is being taken off the machine there. */
  readonly exempt: ReadonlySet<string>;
}

/** How long processes may take to end by themselves, and how often it is looked whether they have. */
const [GRACE_LOOKS, PAUSE] = [20, durationMs(100)];
/** How often what forks faster than it is killed is tried again. */
const KILL_ROUNDS = 5;
const MOST_NAMES = 10;

/**
 * Ends the processes of a session: asks them to, gives them two seconds, then kills them, and sudo last, so that it can
 * give the terminal back. `known` are members that were seen earlier, by `processKey`; what is found is added.
 */
export async function endProcesses(
  session: FollowedSession,
  known: Set<string>,
  folders: readonly string[],
  { table, cgroups, clock, sudo, spared, exempt }: EndingParts,
): Promise<ProcessOutcome> {
  const look = (): Record<'own' | 'goingOn' | 'doubtful', readonly ProcessRow[]> => {
    const { own, doubtful } = sessionMembers(session, table.startedSince(session.since), known, sudo);
    for (const row of own) known.add(processKey(row));
    const goingOn = withDescendants(exempt, own);
    return { own: own.filter((row) => !spared.has(row.pid) && !goingOn.includes(row)), goingOn, doubtful };
  };
  const seen = new Set<string>();
  let found = look();
  const note = (): readonly ProcessRow[] => {
    for (const row of found.own) seen.add(processKey(row));
    return found.own;
  };
  if (!session.keep) {
    for (const row of note()) for (const signal of ['SIGTERM', 'SIGHUP', 'SIGCONT'] as const) table.signal(row, signal);
    for (let looks = 0; note().length > 0 && looks < GRACE_LOOKS; looks += 1) {
      await sleep(clock, PAUSE);
      found = look();
    }
    for (let round = 0; note().length > 0 && round < KILL_ROUNDS; round += 1) {
      const commands = found.own.filter((row) => !isSudoOf(row, session.uid, sudo));
      for (const row of round === 0 ? commands : found.own) table.signal(row, 'SIGKILL');
      // In one stroke, so that nothing can fork its way out.
      if (round > 0 && found.goingOn.length === 0) for (const folder of folders) cgroups.kill(folder);
      await sleep(clock, PAUSE);
      found = look();
    }
  }
  const left = [...note(), ...found.goingOn, ...found.doubtful];
  return {
    ended: seen.size - found.own.length,
    left: left.length,
    leftNames: [...new Set(left.map(({ name }) => name.slice(0, 64)))].slice(0, MOST_NAMES),
  };
}
