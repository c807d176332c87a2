import { CurfewError } from '@curfew/shared';
import type { Caller } from '../users/caller.js';
import type { Identity } from './authenticate.js';

/** The signed-in user behind a call. Errors: NOT_SIGNED_IN. */
export function callerOf(identity: Identity): Caller {
  if (identity.kind !== 'user') throw new CurfewError('NOT_SIGNED_IN');
  return identity.caller;
}
