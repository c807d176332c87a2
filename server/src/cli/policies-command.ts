import { Option, type Command } from 'commander';
import { durationFlag, groupFlag, reasonFlag, ticketFlag } from '@curfew/shared/cli';
import { LOWERED, type ApplyFlags, type ExplainFlags } from './policies-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./policies-actions.js');

/** Adds `policies …`. */
export function addPolicyCommands(program: Command, context: ToolContext): void {
  const policies = program.command('policies').description('who may ask for what, and who decides: see and change');
  policies
    .command('list')
    .description('list the policies in their order; the first that matches a request decides')
    .action(async (_flags: object, command: Command) => (await actions()).listPolicies(context, command));
  policies
    .command('show [policy]')
    .description('print one policy, or all of them, as YAML that apply takes')
    .action(async (policy: string | undefined, _flags: object, command: Command) =>
      (await actions()).showPolicies(context, command, policy),
    );
  policies
    .command('apply')
    .description('make the policies as a file says; shows what would change, and asks first')
    .requiredOption('-f, --file <file>', "the YAML file; '-' reads from stdin")
    .option('--prune', 'remove policies that the file does not name, and take its order')
    .option('--dry-run', 'only show what would change')
    .option('--yes', 'do not ask')
    .addOption(
      new Option(
        '--running <choice>',
        'what becomes of running sessions that would not be allowed for so long any more (default: keep)',
      ).choices(LOWERED),
    )
    .action(async (flags: ApplyFlags, command: Command) =>
      (await import('./policies-apply.js')).applyPolicies(context, command, flags),
    );
  policies
    .command('explain')
    .description('say whether a user may ask for a device, and why')
    .requiredOption('--user <user>', 'who, by id or name')
    .requiredOption('--device <device>', 'for which device, by id or name')
    .option('--account <name>', "the account on the device (default: the user's)")
    .option('--for <duration>', 'for how long (default: what would be proposed)', durationFlag)
    .option('--reason <text>', 'with which reason', reasonFlag)
    .option('--ticket <id>', 'with which ticket', ticketFlag)
    .addOption(new Option('--group [name]', 'membership of a group instead of sudo').argParser(groupFlag))
    .action(async (flags: ExplainFlags, command: Command) => (await actions()).explain(context, command, flags));
}
