import type { RecordingTerms } from '../ports/privilege-host.js';
import type { ProcessRow } from '../ports/process-table.js';

/** A session whose processes are looked for. */
export interface FollowedSession {
  readonly sessionId: string;
  readonly uid: number;
  /** When it began, in clock ticks since the boot: no process of it is older. */
  readonly since: number;
  /** Whether its processes are only reported at its end, not ended. */
  readonly keep: boolean;
  /** What is recorded of its calls of sudo; absent for nothing. */
  readonly recording?: RecordingTerms | undefined;
}

export interface SessionMembers {
  /** Processes that certainly came from the session. */
  readonly own: readonly ProcessRow[];
  /** Processes that may have come from it as well as from elsewhere: root's or another account's, by a logon of the account. */
  readonly doubtful: readonly ProcessRow[];
}

/**
 * A logon of root that nobody logged in to: su and sudo make one where there is none around (pam_systemd(8)), and take their
 * command out of every other control group.
 */
const ROOTS_LOGON = /\/user-0\.slice\/session-c\d+\.scope(\/|$)/m;

/** The same of any account. Who logs in by themselves has a login uid (pam_loginuid(8)), and what is in it is theirs. */
const ANYBODYS_LOGON = /\/user-\d+\.slice\/session-c\d+\.scope(\/|$)/m;

/** What tells a process from every other of this boot. */
export const processKey = ({ pid, start }: Pick<ProcessRow, 'pid' | 'start'>): string => `${pid} ${start}`;

/** Whether a process is sudo itself, called by the account. */
export const isSudoOf = ({ uids, program }: ProcessRow, uid: number, sudo: string): boolean =>
  uids[0] === uid && uids[1] === 0 && (program === sudo || program === `${sudo} (deleted)`);

/**
 * Which of the processes came from a session. Each sign alone is enough: the session's control group, sudo called by
 * the account, a parent that came from it, sudo's own mark in the environment of a process that is not merely the
 * account's, or having been seen before (`known`). What has another's rights, root's among them, and a logon of the account or
 * of nobody could also come from su with a password: it is doubtful.
 */
export function sessionMembers(
  session: FollowedSession,
  rows: readonly ProcessRow[],
  known: ReadonlySet<string>,
  sudo: string,
): SessionMembers {
  const { uid, since, sessionId } = session;
  const candidates = rows.filter(({ start }) => start >= since);
  const own = new Map<number, ProcessRow>();
  const marked = new RegExp(`/curfew-${sessionId}(/|$)`, 'm');
  for (const row of candidates) {
    const bySign = marked.test(row.cgroups) || isSudoOf(row, uid, sudo) || known.has(processKey(row));
    if (bySign || (row.sudoUid === uid && row.uids.includes(0))) own.set(row.pid, row);
  }
  addDescendants(own, candidates);
  const isDoubtful = ({ pid, uids, loginUid, cgroups }: ProcessRow): boolean => {
    if (own.has(pid) || uids[0] === uid) return false;
    if (loginUid === uid || (uids[0] === 0 && ROOTS_LOGON.test(cgroups))) return true;
    return loginUid === undefined && ANYBODYS_LOGON.test(cgroups);
  };
  const doubtful = candidates.filter(isDoubtful);
  return { own: [...own.values()], doubtful };
}

/** A process and those that it came from, as far up as there are any. */
export function withAncestors(pid: number, rows: readonly ProcessRow[]): ProcessRow[] {
  const all = new Map(rows.map((row) => [row.pid, row]));
  const line: ProcessRow[] = [];
  for (let row = all.get(pid); row !== undefined && !line.includes(row);) {
    line.push(row);
    const parent = all.get(row.ppid);
    row = parent !== undefined && isChildOf(row, parent) ? parent : undefined;
  }
  return line;
}

/** Those of the processes whose key is among `keys`, and all that came from them. */
export function withDescendants(keys: ReadonlySet<string>, rows: readonly ProcessRow[]): ProcessRow[] {
  const found = new Map(rows.filter((row) => keys.has(processKey(row))).map((row) => [row.pid, row]));
  addDescendants(found, rows);
  return [...found.values()];
}

function addDescendants(found: Map<number, ProcessRow>, rows: readonly ProcessRow[]): void {
  // Children after parents.
  for (let before = -1; found.size > before;) {
    before = found.size;
    for (const row of rows) {
      const parent = found.get(row.ppid);
      if (parent !== undefined && isChildOf(row, parent)) found.set(row.pid, row);
    }
  }
}

/** A process is never older than the one that it came from. */
const isChildOf = (row: ProcessRow, parent: ProcessRow): boolean =>
  row.ppid === parent.pid && parent.start <= row.start;
