import type { InstantMs } from '@curfew/shared';
import type { Actor } from '../audit/audit-entry.js';
import type { Role } from './role.js';

/** Somebody who is signed in. */
export interface Caller {
  readonly userId: string;
  readonly userName: string;
  /** The id of the API token or of the sign-in: what limits are counted by. */
  readonly tokenId: string;
  /** What this caller may do now: the user's role, with a token the lesser of that and its scope. */
  readonly role: Role;
  /** The sign-in, when it is one and not an API token. */
  readonly signInId?: string | undefined;
  /** When the person last proved who they are; undefined with an API token, which proves nobody's presence. */
  readonly freshAtMs?: number | undefined;
  /** Whether nothing but changing the password may be done. */
  readonly mustChangePassword?: boolean | undefined;
  /** When this ends by itself, if nothing is done with it. */
  readonly validUntilMs?: InstantMs | undefined;
  /** Of the call that is made now. */
  readonly requestId?: string | undefined;
}

export const callerActor = ({ userId: id, userName: name, requestId }: Caller): Actor => ({
  kind: 'user',
  id,
  name,
  requestId,
});

/** Whether a whole id or a name is the caller's own: what can be said without telling who else there is. */
export const isOwnName = ({ userId, userName }: Caller, given: string): boolean =>
  [userId, userName.toLowerCase()].includes(given.toLowerCase());
