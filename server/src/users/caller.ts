import type { Actor } from '../audit/audit-entry.js';
import type { Role } from './role.js';

/** A signed-in operator. */
export interface Caller {
  readonly userId: string;
  readonly userName: string;
  readonly tokenId: string;
  /** What this token may do now: the lesser of its scope and its user's role. */
  readonly role: Role;
}

export const callerActor = (caller: Caller): Actor => ({ kind: 'user', id: caller.userId, name: caller.userName });
