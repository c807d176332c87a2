/** What a user may do; each contains the ones before it. */
const ROLES = ['user', 'viewer', 'approver', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

export const isRole = (text: string): text is Role => (ROLES as readonly string[]).includes(text);

/** Whether a role contains another. */
export const roleContains = (role: Role, needed: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(needed);

/** The lesser of two roles: what a token of a scope may do for a user of a role. */
export const lesserRole = (a: Role, b: Role): Role => (roleContains(a, b) ? b : a);
