import { connectorKind } from '@curfew/server/parts';
import type { HeldResource } from '../../support/resource-sessions.js';
import { Receiver, SIGNING_SECRET, type ReceiverLimits } from './receiver.js';
import type { Place } from './right.js';

const KIND = 'webhook';
/** 'remove', and the question whether it is so. */
const CALLS_PER_END = 2;

/** Resources behind one receiver, and what that can take. */
export interface LimitedPlaces {
  /** As it stands in the tables. */
  readonly title: string;
  readonly limits: ReceiverLimits;
  /** What of all sessions is here, and at how many resources. */
  readonly share: number;
  readonly resources: number;
}

/**
 * Three that set different bounds: Curfew itself, the time that each call takes, calls a second. The slow one has more
 * resources than its connector may make calls at once.
 */
export const LIMITED_PLACES: readonly LimitedPlaces[] = [
  { title: 'quick', limits: { perSecond: 0, workMs: 0 }, share: 0.5, resources: 8 },
  { title: 'slow', limits: { perSecond: 0, workMs: 20 }, share: 0.3, resources: 12 },
  { title: 'limited', limits: { perSecond: 100, workMs: 0 }, share: 0.2, resources: 4 },
];

/** How many calls one connector makes at the same time, at most. */
export const CALLS_AT_ONCE = connectorKind(KIND)?.callsAtOnce ?? 0;

/** One receiver that has given everybody what it has to give. */
export class HeldPlaces {
  /** The resources' names in the ledger, in the order of `places`. */
  readonly names: readonly string[];

  private constructor(
    readonly of: LimitedPlaces,
    readonly receiver: Receiver,
    readonly people: readonly string[],
    /** What the names of its connector and resources begin with. */
    readonly name: string,
  ) {
    this.names = Array.from({ length: of.resources }, (_, at) => `${name}-${at}`);
    for (const name of this.names) for (const person of people) receiver.members(name).add(person);
  }

  /** `number` tells receivers apart; `sessions` is how many there are at all receivers together. */
  static async start(of: LimitedPlaces, number: number, sessions: number): Promise<HeldPlaces> {
    const length = Math.max(1, Math.round((sessions * of.share) / of.resources));
    const people = Array.from({ length }, (_, at) => `person-${at}`);
    // Few sessions meet a limit as well.
    const perSecond = Math.min(of.limits.perSecond, Math.ceil((CALLS_PER_END * length * of.resources) / 5));
    return new HeldPlaces(of, await Receiver.start({ ...of.limits, perSecond }), people, `place-${number}`);
  }

  get places(): readonly Place[] {
    const [settings, secrets] = [{ url: this.receiver.url }, { signing_secret: SIGNING_SECRET }];
    return this.names.map((resource) => ({ kind: KIND, settings, secrets, target: { resource } }));
  }

  get sessions(): number {
    return this.names.length * this.people.length;
  }

  get held(): readonly HeldResource[] {
    return this.names.map((resource) => ({ resource, users: this.people }));
  }

  /** How long the receiver needs for it in any case, ms; 0 where it sets no bound. */
  get leastMs(): number {
    const { perSecond, workMs } = this.receiver.limits;
    const calls = this.sessions * CALLS_PER_END;
    if (perSecond > 0) return ((calls - perSecond) * 1_000) / perSecond;
    return (calls * workMs) / Math.min(CALLS_AT_ONCE, this.names.length);
  }

  /** Errors: the receiver was called in a way that it does not allow, or still gives something to somebody. */
  checkEnd(): void {
    const { receiver, of, names } = this;
    const left = names.reduce((sum, name) => sum + receiver.members(name).size, 0);
    if (left > 0) throw new Error(`${of.title}: ${left} people still have something`);
    if (receiver.mostAtOnce > CALLS_AT_ONCE)
      throw new Error(`${of.title}: ${receiver.mostAtOnce} calls at once, and ${CALLS_AT_ONCE} are allowed`);
    // What is under way when an answer says to come again later has not heard it yet.
    if (receiver.mostEarly > CALLS_AT_ONCE - 1)
      throw new Error(`${of.title}: ${receiver.mostEarly} calls before the time that it had asked for`);
  }
}
