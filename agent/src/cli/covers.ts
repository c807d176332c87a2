import { GrantKind, type GrantOptions } from '@curfew/proto';
import path from 'node:path';

/**
 * Whether a right is one for `sudo -- COMMAND…`, as root: a rule for every command or for this one, or a membership of the
 * administrators' group. sudo looks a command that is typed without a path up, so that its name is enough.
 */
export function covers(options: GrantOptions | undefined, argv: readonly string[]): boolean {
  if (options?.kind === GrantKind.GROUP_MEMBERSHIP) return options.group === '';
  const { runAs = '', commands = [] } = options ?? {};
  if (runAs !== '' && runAs !== 'root') return false;
  return commands.length === 0 || commands.some(({ argv: allowed }) => isSame(allowed, argv));
}

function isSame([allowed = '', ...allowedArgs]: readonly string[], [typed = '', ...args]: readonly string[]): boolean {
  const isProgram = typed === allowed || (!typed.includes('/') && typed === path.posix.basename(allowed));
  return isProgram && args.length === allowedArgs.length && args.every((argument, at) => argument === allowedArgs[at]);
}
