import { durationMs, sleep, type Clock } from '@curfew/shared';
import type { ProcessRow, ProcessTable } from '../ports/process-table.js';
import type { CalledSudo } from './follower.js';
import { isSudoOf, processKey } from './session-members.js';

/** How long processes may take to end by themselves, and how often it is looked whether they have. */
const [GRACE_LOOKS, PAUSE] = [20, durationMs(100)];
/** How often what forks faster than it is killed is tried again. */
const KILL_ROUNDS = 5;
/** How long sudo may take to say how its command has ended, and to give the terminal back. */
const SUDO_LOOKS = 80;

/**
 * Ends what one sudo runs: asks its processes to end, kills them two seconds later, and sudo itself last, if it has not gone by
 * then, so that it can say how its command has ended. What was no descendant of it any more when this began goes on.
 */
export async function endCommand(called: CalledSudo, table: ProcessTable, clock: Clock, sudo: string): Promise<void> {
  const known = new Set<string>([processKey(called)]);
  const isItself = (row: ProcessRow): boolean => isSudoOf(row, called.uid, sudo);
  const look = (): ProcessRow[] => {
    const rows = table.startedSince(called.start);
    for (let before = -1; known.size > before;) {
      before = known.size;
      const parents = new Map(rows.filter((row) => known.has(processKey(row))).map((row) => [row.pid, row]));
      for (const row of rows) if ((parents.get(row.ppid)?.start ?? Infinity) <= row.start) known.add(processKey(row));
    }
    return rows.filter((row) => known.has(processKey(row)));
  };
  const send = (rows: readonly ProcessRow[], ...signals: readonly Parameters<ProcessTable['signal']>[1][]): void => {
    for (const row of rows) for (const signal of signals) table.signal(row, signal);
  };
  let found = look();
  const waitUntil = async (isDone: () => boolean, looks: number): Promise<void> => {
    for (let left = looks; !isDone() && left > 0; left -= 1) {
      await sleep(clock, PAUSE);
      found = look();
    }
  };
  const commands = (): ProcessRow[] => found.filter((row) => !isItself(row));
  send(commands(), 'SIGTERM', 'SIGHUP', 'SIGCONT');
  await waitUntil(() => commands().length === 0, GRACE_LOOKS);
  for (let round = 0; commands().length > 0 && round < KILL_ROUNDS; round += 1) {
    send(commands(), 'SIGKILL');
    await waitUntil(() => false, 1);
  }
  await waitUntil(() => found.length === 0, SUDO_LOOKS);
  send(found, 'SIGKILL');
}
