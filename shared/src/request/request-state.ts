/** Where an access request stands. */
export const REQUEST_STATES = ['pending', 'approved', 'denied', 'cancelled', 'timed_out', 'started', 'lapsed'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** Every legal move, `null` being 'did not exist'. SQL, proto and the diagram in ARCHITECTURE.md are held against it. */
export const REQUEST_MOVES: readonly (readonly [from: RequestState | null, to: RequestState])[] = [
  [null, 'pending'],
  ['pending', 'approved'],
  ['pending', 'denied'],
  ['pending', 'cancelled'],
  ['pending', 'timed_out'],
  ['approved', 'started'],
  ['approved', 'cancelled'],
  ['approved', 'lapsed'],
];

/** Whether the move is in the table. */
export const requestMayMove = (from: RequestState | null, to: RequestState): boolean =>
  REQUEST_MOVES.some(([a, b]) => a === from && b === to);

/** What can be done to a request in a state. */
export const requestCan = {
  decide: (state: RequestState): boolean => state === 'pending',
  cancel: (state: RequestState): boolean => state === 'pending' || state === 'approved',
  start: (state: RequestState): boolean => state === 'approved',
  /** By somebody else than who asked. */
  takeBack: (state: RequestState): boolean => state === 'approved',
};
