import type { InstantMs } from '@curfew/shared';

/** Who is to be found in a resource. All of it is text that people chose. */
export interface Person {
  readonly userName: string;
  readonly displayName: string;
  readonly mailAddresses: readonly string[];
  /** How an admin says that the person is called there. '' leaves the finding to the connector's settings. */
  readonly subject: string;
}

/** Somebody as the resource knows them. */
export interface Subject {
  /** Finds the same one again, also after a rename where the resource can tell: a DN, an id, a login, a role's name. */
  readonly id: string;
  /** What a person would recognize. */
  readonly label: string;
}

/** What a resource is, as it says itself. */
export interface ResourceDescription {
  /** One line, such as "group 'ops' with 12 members". */
  readonly text: string;
  /** What an admin should know, such as rights that the connector lacks, in whole sentences. */
  readonly findings: readonly string[];
}

/**
 * One resource, reached through one connector: a group and its directory, a role and its database. Every method may be
 * called again after any end of an earlier call, also one whose answer was lost. What it throws is a ConnectorError, and
 * it stops when the signal says so.
 */
export interface Connector {
  /** Looks at the resource. Writes nothing. */
  describe(signal: AbortSignal): Promise<ResourceDescription>;
  /** Finds a person. Undefined when nobody fits; ConnectorError 'refused' when several do. Writes nothing. */
  findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined>;
  /** Whether the subject has the resource by itself, not by way of another group. Reads what is true now. */
  has(subject: Subject, signal: AbortSignal): Promise<boolean>;
  /**
   * Gives the resource and resolves when it has read back that the subject has it. Doing it twice is doing it once.
   * Where the resource can end it by itself, it is told to do so at `until`: a second line of defence, never the first.
   */
  add(subject: Subject, until: InstantMs, signal: AbortSignal): Promise<void>;
  /**
   * Takes the resource away and resolves when it has read back that the subject does not have it. One who does not have
   * it, or is not there any more, is no error.
   */
  remove(subject: Subject, signal: AbortSignal): Promise<void>;
  /** Everybody who has the resource by themselves, for the comparison with the ledger. */
  members(signal: AbortSignal): Promise<readonly Subject[]>;
  /** Lets connections go. Called once, after the last call has ended. */
  close(): Promise<void>;
}

/**
 * Why a call failed. `unreachable`: nothing was said, or that it should be tried later: so would be other calls of the
 * connector. `pending`: the resource has answered, and it has not come about yet, such as an invitation that nobody has
 * accepted; that says nothing of other calls. `refused`: the resource understood and will not. Each may have happened
 * after a write took effect.
 */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError';

  constructor(
    readonly kind: 'unreachable' | 'pending' | 'refused',
    message: string,
    /** How long the resource asked to be left alone. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
