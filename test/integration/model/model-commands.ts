import fc from 'fast-check';
import type { Direction } from './memory-wire.js';
import { PEOPLE } from './model-server.js';

/** One thing that happens. `at` chooses among what there is: sessions, requests, backups, messages. */
export type Command =
  | { readonly do: 'ask' | 'give'; readonly who: number; readonly seconds: number }
  | { readonly do: 'approve' | 'deny' | 'cancel' | 'start' | 'revoke' | 'extend' | 'tamper'; readonly at: number }
  | { readonly do: 'end by user'; readonly who: number }
  | { readonly do: 'advance' | 'sleep' | 'set server wall' | 'set agent wall'; readonly ms: number }
  | { readonly do: 'kill agent after'; readonly steps: number }
  | { readonly do: 'restore agent state'; readonly back: number }
  | { readonly do: 'restore' | 'roll back'; readonly at: number }
  | { readonly do: 'slow' | 'let through' | 'swap'; readonly way: Direction }
  | { readonly do: 'repeat'; readonly way: Direction; readonly at: number }
  | { readonly do: 'replay desired' | 'replay lease'; readonly at: number }
  | { readonly do: 'forge'; readonly how: Forgery }
  | { readonly do: Plain };

/** What needs nothing to be said of it. */
type Plain =
  | 'revoke everything'
  | 'minute'
  | 'kill agent'
  | 'start agent'
  | 'reboot'
  | 'kill server'
  | 'backup'
  | 'recover'
  | 'cut'
  | 'stall'
  | 'heal'
  | 'host stuck'
  | 'host mended';

// Each is refused before anything is tried: what a thief of the server's key could do, nobody can bound.
const FORGERIES = ['stranger', 'device', 'nonce', 'incarnation', 'floor'] as const;
export type Forgery = (typeof FORGERIES)[number];

const at = fc.nat({ max: 7 });
const who = fc.nat({ max: PEOPLE.length - 1 });
const seconds = fc.constantFrom(2, 5, 30, 600);
const way = fc.constantFrom<Direction>('up', 'down');
const jump = fc.constantFrom(-3_600_000, -20_000, -1_000, 1_000, 20_000, 3_600_000);

const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true });

const one = (...names: Plain[]): fc.Arbitrary<Command> => fc.constantFrom(...names).map((name) => ({ do: name }));

/** What people and operators do; named often, for without it nothing else matters. */
const doings: fc.Arbitrary<Command>[] = [
  record({ do: fc.constant('give' as const), who, seconds }),
  record({ do: fc.constant('give' as const), who, seconds }),
  record({ do: fc.constant('ask' as const), who, seconds }),
  record({ do: fc.constantFrom('approve' as const, 'start' as const), at }),
  record({ do: fc.constantFrom('deny' as const, 'cancel' as const, 'extend' as const, 'tamper' as const), at }),
  record({ do: fc.constant('revoke' as const), at }),
  record({ do: fc.constant('revoke' as const), at }),
  record({ do: fc.constant('end by user' as const), who }),
  one('revoke everything', 'minute'),
];

/** What goes wrong. */
const faults: fc.Arbitrary<Command>[] = [
  record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1_000, 3_000, 6_000) }),
  record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(4_000, 40_000, 700_000) }),
  record({ do: fc.constantFrom('set server wall' as const, 'set agent wall' as const), ms: jump }),
  record({ do: fc.constant('kill agent after' as const), steps: fc.nat({ max: 8 }) }),
  record({ do: fc.constant('restore agent state' as const), back: fc.nat({ max: 12 }) }),
  record({ do: fc.constantFrom('restore' as const, 'roll back' as const), at }),
  record({ do: fc.constantFrom('slow' as const, 'let through' as const, 'swap' as const), way }),
  record({ do: fc.constant('repeat' as const), way, at }),
  record({ do: fc.constantFrom('replay desired' as const, 'replay lease' as const), at: fc.nat({ max: 40 }) }),
  record({ do: fc.constant('forge' as const), how: fc.constantFrom(...FORGERIES) }),
  one('kill agent', 'start agent', 'start agent', 'reboot', 'kill server'),
  one('backup', 'backup', 'recover'),
  one('cut', 'stall', 'heal', 'heal'),
  one('host stuck', 'host mended', 'host mended'),
];

/** Sequences of what happens, of which none is likely and each has hurt somebody. */
const stories: fc.Arbitrary<Command[]>[] = [
  // A copy by hand, whose numbers catch up with what the device has seen.
  fc
    .tuple(who, fc.nat({ max: 2 }))
    .map(([person, more]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'backup' },
      { do: 'revoke', at: 0 },
      { do: 'stall' },
      { do: 'roll back', at: 0 },
      ...Array.from({ length: more }, (): Command => ({ do: 'give', who: 1 - person, seconds: 600 })),
      { do: 'extend', at: 0 },
      { do: 'kill agent' },
      { do: 'start agent' },
      { do: 'heal' },
    ]),
  fc
    .tuple(who, at)
    .map(([person, back]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'revoke', at: 0 },
      { do: 'kill agent' },
      { do: 'restore agent state', back },
    ]),
  // What was right on one link comes again on the next one.
  fc
    .tuple(who, fc.nat({ max: 9 }))
    .map(([person, at]): Command[] => [
      { do: 'give', who: person, seconds: 600 },
      { do: 'revoke', at: 0 },
      { do: 'slow', way: 'up' },
      { do: 'cut' },
      { do: 'replay desired', at },
    ]),
  // The person ends it, and the server does not hear of that before it says what the device should hold.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'slow', way: 'up' },
    { do: 'end by user', who: 0 },
    { do: 'give', who: 1, seconds: 600 },
    { do: 'heal' },
  ]),
  // Out of touch, with the clock set back.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 2 },
    { do: 'stall' },
    { do: 'set agent wall', ms: -3_600_000 },
    { do: 'advance', ms: 3_000 },
    { do: 'advance', ms: 1_000 },
    { do: 'heal' },
  ]),
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'host stuck' },
    { do: 'revoke', at: 0 },
    { do: 'advance', ms: 1_000 },
    { do: 'host mended' },
  ]),
  fc.constant<Command[]>([{ do: 'backup' }, { do: 'restore', at: 0 }, { do: 'recover' }]),
  // A process takes over from one whose link only looks alive, and something is revoked before it has its leases.
  fc.constant<Command[]>([
    { do: 'give', who: 0, seconds: 600 },
    { do: 'give', who: 1, seconds: 600 },
    { do: 'stall' },
    { do: 'kill agent' },
    { do: 'start agent' },
    { do: 'heal' },
    { do: 'revoke', at: 0 },
  ]),
];

/** Random runs of everything; of 24 things that happen so many are stories. */
export const commandRuns = (storiesIn24 = 1): fc.Arbitrary<Command[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 12, arbitrary: fc.oneof(...doings).map((command) => [command]) },
        { weight: 12, arbitrary: fc.oneof(...faults).map((command) => [command]) },
        { weight: storiesIn24, arbitrary: fc.oneof(...stories) },
      ),
      { minLength: 3, maxLength: 30, size: 'max' },
    )
    .map((parts) => parts.flat());
