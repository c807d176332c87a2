import { Option, type Command } from 'commander';
import { durationFlag, groupNameFlag } from '@curfew/shared/cli';
import type { GroupChange, UserChange, TokenWish } from './users-flags.js';
import type { ToolContext } from './tool-context.js';

const ROLE_NAMES = ['user', 'viewer', 'approver', 'admin', 'owner'] as const;

const actions = () => import('./users-actions.js');
const role = (flag: string, text: string): Option => new Option(`${flag} <role>`, text).choices(ROLE_NAMES);

/** Adds `users …`. */
export function addUserCommands(program: Command, context: ToolContext): void {
  const users = program.command('users').description('people: see, add, change, tie to accounts');
  users
    .command('list')
    .description('list the users')
    .option('--text <text>', 'only where a name has this text')
    .option('--order-by <field>', 'name, create_time or role; may end in " desc"')
    .action(async (flags: { text?: string; orderBy?: string }, command: Command) =>
      (await actions()).listUsers(context, command, flags),
    );
  users
    .command('show <user>')
    .description('show one user and the accounts, by id or name')
    .action(async (user: string, _flags: object, command: Command) =>
      (await actions()).showUser(context, command, user),
    );
  users
    .command('create <name>')
    .description('add a user')
    .addOption(role('--role', 'what the user may do').makeOptionMandatory())
    .option('--display-name <text>', 'the name to show')
    .option('--password', 'also make a one-time password, which is shown this once')
    .action(async (name: string, flags: { role: string; displayName?: string; password?: boolean }, command: Command) =>
      (await actions()).createUser(context, command, name, flags),
    );
  users
    .command('reset-password <user>')
    .description('make a one-time password, which is shown this once; ends the sign-ins of the user')
    .action(async (user: string, _flags: object, command: Command) =>
      (await actions()).resetPassword(context, command, user),
    );
  users
    .command('update <user>')
    .description('change a user, at once; a user who is disabled loses every session')
    .addOption(role('--role', 'what the user may do'))
    .option('--display-name <text>', 'the name to show')
    .option('--email <address>', 'the mail address; empty takes it away')
    .option('--disable', 'disable the user')
    .addOption(new Option('--enable', 'enable the user again').conflicts('disable'))
    .action(async (user: string, flags: UserChange, command: Command) =>
      (await actions()).updateUser(context, command, user, flags),
    );
  users
    .command('groups <user>')
    .description('show the groups that a user is in, or change them; policies name groups')
    .option('--add <group>', 'put the user into this group, too; may be repeated', groupNameFlag)
    .option('--remove <group>', 'take the user out of this group; may be repeated', groupNameFlag)
    .action(async (user: string, flags: GroupChange, command: Command) =>
      (await actions()).changeGroups(context, command, user, flags),
    );
  for (const [verb, text] of [
    ['link', 'tie an account on a device to a user'],
    ['unlink', 'untie an account'],
  ] as const)
    users
      .command(`${verb} <user>`)
      .description(text)
      .requiredOption('--device <device>', 'the device, by id or name')
      .requiredOption('--account <name>', "the account's name on that device")
      .action(async (user: string, flags: { device: string; account: string }, command: Command) =>
        (await actions()).linkAccount(context, command, verb, user, flags),
      );
}

/** Adds `tokens …`. */
export function addTokenCommands(program: Command, context: ToolContext): void {
  const tokens = program.command('tokens').description('API tokens for programs and command lines');
  tokens
    .command('create')
    .description('make a token; its secret is shown this once')
    .requiredOption('--label <text>', 'what it is for')
    .option('--user <user>', 'for whom, by id or name (default: yourself)')
    .addOption(role('--scope', "the most that it may do (default: the user's role)"))
    .option('--ttl <duration>', 'how long it works (default: 30d)', durationFlag)
    .action(async (flags: TokenWish, command: Command) => (await actions()).createToken(context, command, flags));
  tokens
    .command('list')
    .description('list the tokens that still work')
    .action(async (_flags: object, command: Command) => (await actions()).listTokens(context, command));
  tokens
    .command('revoke <id>')
    .description('stop a token, at once')
    .action(async (id: string, _flags: object, command: Command) =>
      (await actions()).revokeToken(context, command, id),
    );
}
