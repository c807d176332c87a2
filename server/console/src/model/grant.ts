import type { GrantOptionsJson } from '../gen/api.js';

/** What a right is, for people: 'Every command as root', 'Member of the group admin'. */
export function grantText(options: GrantOptionsJson | undefined): string {
  const { kind, commands = [], runAs = '', group = '', passwordRequired = false } = options ?? {};
  if (kind === 'GRANT_KIND_GROUP_MEMBERSHIP')
    return group === '' ? 'Member of the administrators' : `Member of the group ${group}`;
  const what =
    commands.length === 0 ? 'Every command' : commands.length === 1 ? 'One command' : `${commands.length} commands`;
  return `${what} as ${runAs === '' ? 'root' : runAs}${passwordRequired ? ', with the password' : ''}`;
}
