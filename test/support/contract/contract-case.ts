/** What earlier answers have left for later cases: ids, by a name. */
export type Kept = Map<string, string>;

/** Who calls: a user that both worlds have. */
export type Caller = 'owner' | 'alice' | 'bob' | 'carol' | 'erin';

/** One call that the fake API and the real server must answer alike. */
export interface ContractCase {
  readonly name: string;
  readonly as: Caller;
  readonly method: string;
  readonly request?: Readonly<Record<string, unknown>> | ((kept: Kept) => object);
  /** It goes on answering: it is read until it has said what it must, or that it is synced, or to its end. */
  readonly watches?: true;
  /** A call of sudo is recorded first, in the session that is kept as 'given'. Its id is kept as 'recording'. */
  readonly records?: 'running' | 'complete';
  /** The code that it is refused with. Undefined: it is answered. */
  readonly refused?: string;
  /** The field that it is refused for, such as 'settings.url'. Undefined: whatever it is. */
  readonly field?: string;
  /** Places that the answer, or one message of a watch, must have, such as 'request.id' or 'devices.0.name'. */
  readonly has?: readonly string[];
  /** Keeps the value of a place under a name. */
  readonly keeps?: Readonly<Record<string, string>>;
}
