import { METHOD_ROLES, roleIsAtLeast, ROLES, type Method, type Role } from '../src/api/method-roles.js';
import type { RoleJson, UserJson } from '../src/gen/api.js';
import { refuse } from './refusal.js';

/** Who calls. */
export interface Caller {
  readonly user: UserJson;
  readonly role: Role;
  /** The sign-in that carries the call. Empty for others. */
  readonly signInId: string;
}

/** A role of the API as the project's word. */
export const roleFromProto = (role: RoleJson | undefined): Role =>
  ROLES.find((word) => `ROLE_${word.toUpperCase()}` === role) ?? 'user';

/** A role as the API spells it. */
export const roleToProto = (role: Role): RoleJson => `ROLE_${role.toUpperCase() as Uppercase<Role>}`;

/** Lets only those call a method who may. */
export function allow(caller: Caller | undefined, method: Method): Caller {
  if (caller === undefined) throw refuse('NOT_SIGNED_IN');
  const needed = METHOD_ROLES[method];
  if (!roleIsAtLeast(caller.role, needed)) throw refuse('METHOD_NOT_ALLOWED', { role: caller.role, method, needed });
  return caller;
}
