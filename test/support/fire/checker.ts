import {
  STANDING,
  type Attempt,
  type FinalSession,
  type GrantCall,
  type Holding,
  type History,
  type Moment,
  type Read,
  type RevokeCall,
} from './history.js';

/** How long a right may outlive its deadline while the agent runs (invariant 1), ms. */
const LATE_MS = 1_000;
/** How long before its deadline a right may be gone already, ms: sudo counts whole seconds, and is told one less. */
const EARLY_MS = 3_000;

/** One thing that must not have been. */
export interface Violation {
  readonly rule: Rule;
  readonly what: string;
}

/** What is decided, by the invariants of the design. */
export const RULES = {
  forgotten: 'what was answered as done is in the ledger for ever (2)',
  invented: 'what was answered as not done was not done (2)',
  backwards: 'no session goes back to where it stood before (2)',
  late: 'no right without a session that may still give it (1, 2, 3)',
  claimed: 'the ledger claims nothing that the device has not confirmed (5)',
  broken: "the machine's own sudo works (4)",
  left: 'nothing is left in the end (1, 2)',
  audit: 'the audit log is whole and has everything (6)',
} as const;
export type Rule = keyof typeof RULES;

/** A session with everything that was seen of it. */
interface Seen {
  readonly final: FinalSession;
  readonly grant: GrantCall;
  /** From when nobody may hold it any more: its end was answered as confirmed, or its time is over. */
  readonly mayHoldUntil: Moment;
  /** When the end was first asked for. */
  readonly endBegun: Moment;
  readonly reads: readonly Read[];
  /** What answers to revokes have said of it. */
  readonly points: readonly Point[];
}

/** From when a session stands at least so far, and why that is known. */
interface Point {
  readonly from: Moment;
  readonly level: number;
  readonly why: string;
}

/** Decides about a whole run: every invariant that it breaks, with what shows it. */
export function violations(history: History): Violation[] {
  const found: Violation[] = [];
  const report = (rule: Rule, what: string): void => void found.push({ rule, what });
  const sessions = sessionsOf(history, report);
  for (const seen of sessions.values()) checkOrder(seen, report);
  checkAttempts(history, sessions, report);
  checkHoldings(history, sessions, report);
  for (const { device, at, isSound } of of(history, 'soundness'))
    if (!isSound)
      report('broken', `sudo of ${device} at ${at.toFixed(0)} does not do what the machine's own rules say`);
  for (const what of history.left) report('left', what);
  if (history.auditProblem !== '') report('audit', history.auditProblem);
  return found;
}

type Report = (rule: Rule, what: string) => void;
const of = <K extends History['happenings'][number]['kind']>({ happenings }: History, kind: K) =>
  happenings.filter((one): one is Extract<History['happenings'][number], { kind: K }> => one.kind === kind);

/** Holds calls against the ledger, and gives each session with what was seen of it. */
function sessionsOf(history: History, report: Report): Map<string, Seen> {
  const finals = new Map(history.sessions.map((session) => [session.word, session]));
  const ids = new Set(history.sessions.map(({ id }) => id));
  if (finals.size !== history.sessions.length) report('invented', 'one call has made several sessions');
  const revokes = of(history, 'revoke');
  const answers = answersBySession(revokes, history);
  const reads = groupBy(of(history, 'read'), ({ session }) => session);
  const seen = new Map<string, Seen>();
  for (const grant of of(history, 'grant')) {
    const final = finals.get(grant.word);
    if (grant.fate === 'done' && (final === undefined || final.id !== grant.session || final.device !== grant.device))
      report('forgotten', `the grant ${grant.word} was answered with ${String(grant.session)}; the ledger has no such`);
    if (grant.fate === 'not done' && final !== undefined)
      report('invented', `the grant ${grant.word} was answered as not done; the ledger has ${final.id}`);
    if (final === undefined) continue;
    const answered = answers.get(final.id);
    const ownReads = reads.get(final.id) ?? [];
    const confirmed = ownReads.filter(({ standing }) => standing === 'ended').map(({ over }) => over);
    const mayHoldUntil = Math.min(...confirmed, answered?.effective ?? Infinity, final.expires + LATE_MS);
    const endBegun = Math.min(answered?.asked ?? Infinity, ...endsSeen(ownReads));
    const points = answered?.points ?? [];
    seen.set(final.id, { final, grant, mayHoldUntil, endBegun, reads: ownReads, points });
    if (answered !== undefined && answered.points.length > 0 && STANDING[final.standing] < STANDING.ending)
      report('forgotten', `${final.id} was revoked, and is ${final.standing} in the ledger`);
    checkAudited(final, history, report);
  }
  for (const id of answers.keys())
    if (!ids.has(id)) report('forgotten', `${id} was in an answer to a revoke, and is not in the ledger`);
  return seen;
}

const endsSeen = (reads: readonly Read[]): Moment[] =>
  reads.filter(({ standing }) => standing === 'ending' || standing === 'ended').map(({ begun }) => begun);

interface Answered {
  /** When its end was first asked for, whatever became of that. */
  asked: Moment;
  readonly points: Point[];
  /** When it was first answered that the device has confirmed. */
  effective?: Moment;
}

/** What revokes had to say, by session. */
function answersBySession(revokes: readonly RevokeCall[], history: History): Map<string, Answered> {
  const answers = new Map<string, Answered>();
  const least = (a: Moment | undefined, b: Moment): Moment => Math.min(a ?? Infinity, b);
  const all = history.sessions.map(({ id }) => id);
  for (const { fate, begun, over, sessions, results } of revokes) {
    if (fate !== 'not done')
      for (const id of sessions ?? all) {
        const before = answers.get(id) ?? { asked: begun, points: [] };
        answers.set(id, { ...before, asked: least(before.asked, begun) });
      }
    for (const { session, effective } of results) {
      const one = answers.get(session) ?? { asked: begun, points: [] };
      one.points.push({ from: over, level: STANDING[effective ? 'ended' : 'ending'], why: 'was revoked' });
      if (effective) one.effective = least(one.effective, over);
      answers.set(session, one);
    }
  }
  return answers;
}

/** What says in the audit log that a session is over: that it ended, or that its device did not take it to begin with. */
const OVER = ['session.ended', 'session.refused'];

function checkAudited({ id, standing, endReason }: FinalSession, { audited }: History, report: Report): void {
  const entries = audited.get(id) ?? [];
  const has = (types: readonly string[]): string[] => entries.filter((entry) => types.includes(entry));
  const wrong = (what: string): void => {
    report('audit', `${id} is ${standing} (${endReason}), and the audit log has ${what}: ${entries.join(', ')}`);
  };
  if (has(['session.starting']).length !== 1) wrong('not one session.starting');
  const over = has(OVER);
  if (over.length !== (standing === 'ended' ? 1 : 0)) wrong('not one end, or one too many');
  if (over.includes('session.refused') && (endReason !== 'REFUSED_BY_DEVICE' || has(['session.active']).length > 0))
    wrong('a refusal');
}

/** Reads that came one after the other, and reads after answers. */
function checkOrder({ final, grant, reads, points }: Seen, report: Report): void {
  const sure = [...points, ...reads.map(pointOf)];
  if (grant.fate === 'done') sure.push({ from: grant.over, level: STANDING.starting, why: 'was granted' });
  sure.sort((a, b) => a.from - b.from);
  let [at, highest] = [0, { level: 0, why: '' }];
  for (const read of [...reads].sort((a, b) => a.begun - b.begun)) {
    for (let next = sure[at]; next !== undefined && next.from < read.begun; next = sure[++at])
      if (next.level > highest.level) highest = next;
    if (pointOf(read).level < highest.level)
      report('backwards', `${final.id} ${highest.why}, and later read as ${String(read.standing)}`);
  }
}

const pointOf = ({ over, standing }: Read): Point => ({
  from: over,
  level: standing === undefined ? 0 : STANDING[standing],
  why: `was read as ${String(standing)}`,
});

/** Every attempt at sudo, against what may and what must be held at that time. */
function checkAttempts(history: History, sessions: ReadonlyMap<string, Seen>, report: Report): void {
  const byDevice = groupBy([...sessions.values()], ({ final }) => final.device);
  const disturbances = groupBy(of(history, 'disturbance'), ({ device }) => device);
  for (const attempt of of(history, 'attempt')) {
    const { device, begun, over, allowed } = attempt;
    const place = `${device} at ${begun.toFixed(0)}`;
    const there = byDevice.get(device) ?? [];
    if (allowed && !there.some((seen) => seen.grant.begun <= over && begun <= seen.mayHoldUntil))
      report(
        'late',
        `sudo was allowed on ${place}, with no session that may give it; the last was ${lastOf(there, begun)}`,
      );
    if (allowed) continue;
    const disturbed = disturbances.get(device) ?? [];
    const owed = there.find(
      (seen) => mustBeHeld(seen, attempt) && !disturbed.some((one) => isNear(one, seen, attempt)),
    );
    if (owed !== undefined) report('claimed', `${owed.final.id} was active, and sudo was refused on ${place}`);
  }
}

/** Whether a server has said that the device holds it, and nobody has asked for its end by the end of the attempt. */
const mustBeHeld = ({ reads, endBegun, final }: Seen, { begun, over }: Attempt): boolean =>
  reads.some(({ standing, over: read }) => standing === 'active' && read <= begun) &&
  over < endBegun &&
  over < final.expires - EARLY_MS;

const isNear = (one: { readonly begun: Moment; readonly over: Moment }, seen: Seen, { over }: Attempt): boolean =>
  one.over >= seen.grant.begun && one.begun <= over;

const lastOf = (there: readonly Seen[], at: Moment): string => {
  const before = there.filter(({ grant }) => grant.begun <= at).sort((a, b) => b.mayHoldUntil - a.mayHoldUntil)[0];
  return before === undefined ? 'none' : `${before.final.id} until ${before.mayHoldUntil.toFixed(0)}`;
};

/** What light agents hold: from one desired state to the next. They do not look at deadlines. */
function checkHoldings(history: History, sessions: ReadonlyMap<string, Seen>, report: Report): void {
  const ends = groupBy(of(history, 'read'), ({ session }) => session);
  const revokes = answersBySession(of(history, 'revoke'), history);
  const confirmedAt = (id: string): Moment =>
    Math.min(
      revokes.get(id)?.effective ?? Infinity,
      ...(ends.get(id) ?? []).filter(({ standing }) => standing === 'ended').map(({ over }) => over),
    );
  for (const [device, states] of groupBy(of(history, 'holding'), ({ device }) => device)) {
    const ordered = [...states].sort((a, b) => a.at - b.at);
    ordered.forEach(({ at, sessions: held }: Holding, index) => {
      const until = ordered[index + 1]?.at ?? Infinity;
      for (const id of held) {
        const seen = sessions.get(id);
        if (seen === undefined) report('late', `${device} holds ${id}, which is not in the ledger`);
        else if (seen.final.device !== device) report('late', `${device} holds ${id}, which is ${seen.final.device}'s`);
        else if (at < seen.grant.begun) report('late', `${device} held ${id} before anybody asked for it`);
        else if (confirmedAt(id) < until)
          report(
            'late',
            `${device} held ${id} until ${until.toFixed(0)}; its end was confirmed ${confirmedAt(id).toFixed(0)}`,
          );
      }
    });
  }
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
