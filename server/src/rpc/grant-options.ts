import { GrantKind, type GrantOptions } from '@curfew/proto';
import { commandProblem, CurfewError, type GrantOptions as GrantOptionsRecord } from '@curfew/shared';

/**
 * Fills the server's defaults in, and refuses an option that means nothing to the kind of right: whoever sets it
 * expects something that would not be so. Errors: FIELD_INVALID, also for a command that no device could allow.
 */
export function optionsFromProto(options: GrantOptions | undefined, passwordRequired: boolean): GrantOptionsRecord {
  const { commands = [], runAs = '', group = '' } = options ?? {};
  const asked = options?.passwordRequired ?? false;
  if (options?.kind !== GrantKind.GROUP_MEMBERSHIP) {
    if (group !== '') throw unfit('group', 'is for the kind GRANT_KIND_GROUP_MEMBERSHIP only; leave it out');
    const argvs = commands.map(({ argv }) => argv);
    for (const [at, argv] of argvs.entries()) {
      const wrong = commandProblem(argv);
      if (wrong !== undefined) throw unfit(`commands.${at}.argv.${wrong.at}`, wrong.problem);
    }
    return { kind: 'sudo_rule', passwordRequired: passwordRequired || asked, commands: argvs, runAs, group };
  }
  const limits = { commands: commands.length > 0, run_as: runAs !== '', password_required: asked };
  const [limit] = Object.entries(limits).find(([, set]) => set) ?? [];
  if (limit !== undefined)
    throw unfit(limit, 'says what sudo may do, and a group membership gives all that the group gives; leave it out');
  return { kind: 'group_membership', passwordRequired: false, commands: [], runAs, group };
}

const unfit = (field: string, problem: string): CurfewError =>
  new CurfewError('FIELD_INVALID', { field: `options.${field}`, problem });
