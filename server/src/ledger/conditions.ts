import { sql } from 'kysely';

/**
 * Conditions in the words of the schema's partial indexes. With values in the place of the words SQLite does not see
 * that an index fits, and reads the whole history instead.
 */
export const IS_LIVE = sql<boolean>`state in ('starting', 'active')`;
export const IS_NOT_REMOVED = sql<boolean>`state <> 'removed'`;

/** Sessions that are not over, state by state: an index by device or user finds these without reading those that are. */
export const OPEN_STATES = ['starting', 'active', 'ending'] as const;

/** Deliveries that are tried again. */
export const IS_WAITING = sql<boolean>`state = 'waiting'`;

/** Sessions that are not over. */
export const IS_NOT_ENDED = sql<boolean>`state <> 'ended'`;

/** Sessions that wait for their device or resource to confirm them. */
export const IS_UNCONFIRMED = sql<boolean>`state in ('starting', 'ending')`;

/** Devices that an operator should look at. */
export const HAS_TO_BE_LOOKED_AT = sql<boolean>`state <> 'removed' and (findings <> '[]' or state = 'identity_conflict')`;
