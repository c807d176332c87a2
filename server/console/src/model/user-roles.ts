import { ROLES, roleIsAtLeast, type Role } from '../api/method-roles.js';
import type { RoleJson, UserJson } from '../gen/api.js';

/** What each role may do, in a few words. */
export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  user: 'asks for access',
  viewer: 'sees everything, changes nothing',
  approver: 'decides requests and ends sessions',
  admin: 'manages devices, users and policies',
  owner: 'may do everything',
};

/** A role of the API as the project's word. */
export const roleFromProto = (role: RoleJson | undefined): Role =>
  ROLES.find((word) => `ROLE_${word.toUpperCase()}` === role) ?? 'user';

/** A role as the API spells it. */
export const roleToProto = (role: Role): RoleJson => `ROLE_${role.toUpperCase() as Uppercase<Role>}`;

/** The roles that somebody of a role may give: none above their own. */
export const rolesToGive = (mine: Role): readonly (readonly [Role, string])[] =>
  ROLES.filter((role) => roleIsAtLeast(mine, role)).map((role) => [role, `${role}: ${ROLE_MEANINGS[role]}`] as const);

/** Why somebody of a role cannot change the user: nobody changes who is above them. */
export function aboveRefusal(mine: Role, user: UserJson): string | undefined {
  const theirs = roleFromProto(user.role);
  return roleIsAtLeast(mine, theirs) ? undefined : `${theirs} is above your own role, ${mine}.`;
}

/** Names in a text: separated by commas or line breaks, each once. */
export function namesIn(text: string): string[] {
  const names = text
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return [...new Set(names)];
}
