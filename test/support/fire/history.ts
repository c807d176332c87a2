/** Milliseconds on the machine's monotonic clock, which all of its processes share. */
export type Moment = number;

export const moment = (): Moment => Number(process.hrtime.bigint()) / 1e6;

/** What a call has to say about whether its wish was done. */
export type Fate = 'done' | 'not done' | 'unknown';

/** How far a session has come; a higher one never becomes a lower one. */
export const STANDING = { starting: 1, active: 2, ending: 3, ended: 4 } as const;
export type Standing = keyof typeof STANDING;

interface Spanned {
  readonly begun: Moment;
  readonly over: Moment;
}

/** An operator asked for a session. `word` is the reason that was given, which no other call has. */
export interface GrantCall extends Spanned {
  readonly kind: 'grant';
  readonly word: string;
  readonly device: string;
  readonly fate: Fate;
  /** The session, where it was answered. */
  readonly session?: string;
}

/** An operator revoked sessions. */
export interface RevokeCall extends Spanned {
  readonly kind: 'revoke';
  readonly fate: Fate;
  /** What was asked for; all of them where it is undefined. */
  readonly sessions?: readonly string[];
  /** What was answered: which sessions, and whether their devices had confirmed by then. */
  readonly results: readonly { readonly session: string; readonly effective: boolean }[];
}

/** Somebody asked a server where a session stands. `standing` is undefined when there was none. */
export interface Read extends Spanned {
  readonly kind: 'read';
  readonly session: string;
  readonly standing: Standing | undefined;
}

/** A person tried sudo on a device. */
export interface Attempt extends Spanned {
  readonly kind: 'attempt';
  readonly device: string;
  readonly allowed: boolean;
}

/** Whether the machine's own sudo works: the rule of somebody with whom Curfew has nothing to do, and `visudo -c`. */
export interface Soundness {
  readonly kind: 'soundness';
  readonly at: Moment;
  readonly device: string;
  readonly isSound: boolean;
}

/** A light agent has done what a desired state says: from now on it holds these. */
export interface Holding {
  readonly kind: 'holding';
  readonly at: Moment;
  readonly device: string;
  readonly sessions: readonly string[];
}

/** Something was done to a device, its agent or its cable, after which a right may be gone before its end. */
export interface Disturbance extends Spanned {
  readonly kind: 'disturbance';
  readonly device: string;
  readonly what: string;
}

/** One thing that was seen. */
export type Happening = GrantCall | RevokeCall | Read | Attempt | Soundness | Holding | Disturbance;

/** A session as the ledger has it in the end. */
export interface FinalSession {
  readonly id: string;
  readonly device: string;
  readonly word: string;
  readonly standing: Standing;
  /** As the API names it. */
  readonly endReason: string;
  /** The latest end that it was ever given. */
  readonly expires: Moment;
}

/** Everything that was seen in one run. */
export interface History {
  readonly happenings: readonly Happening[];
  readonly sessions: readonly FinalSession[];
  /** The types of the audit log's entries, by session. */
  readonly audited: ReadonlyMap<string, readonly string[]>;
  /** What is left on devices after the last revoke of everything: device and what. */
  readonly left: readonly string[];
  /** What the verification of the audit log had to say; '' when it is whole. */
  readonly auditProblem: string;
}
