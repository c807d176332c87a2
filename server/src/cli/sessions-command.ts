import { Option, type Command } from 'commander';
import {
  commandFlag,
  durationFlag,
  groupFlag,
  reasonFlag,
  SECOND,
  usageError,
  type DurationMs,
} from '@curfew/shared/cli';
import { PLATFORMS, TABS, type SessionPick, type GrantFlags, type RevokeFlags } from './sessions-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./sessions-actions.js');

const picking = (command: Command): Command =>
  command
    .addOption(new Option('--tab <tab>', 'only one of the two kinds').choices(TABS))
    .option('--all', 'sessions that have ended, too')
    .option('--user <user>', "only this user's, by id or name")
    .option('--device <device>', 'only on this device, by id or name')
    .option('--resource <resource>', 'only this resource, by id or name')
    .addOption(new Option('--platform <platform>', 'only on devices of this platform').choices(PLATFORMS))
    .option('--text <text>', 'only where a name or the reason has this text');

const waiting = (command: Command, what: string): Command =>
  command
    .option('--wait', what)
    .addOption(
      new Option('--timeout <duration>', 'how long --wait waits').argParser(durationFlag).default(30 * SECOND, '30s'),
    );

/** Adds `sessions …`. */
export function addSessionCommands(program: Command, context: ToolContext): void {
  const sessions = program.command('sessions').description('elevated periods: see, give, lengthen, end');
  picking(sessions.command('list'))
    .description('list the sessions that have not ended')
    .option('--order-by <field>', 'create_time, expire_time, user_name, device_name or state; may end in " desc"')
    .action(async (flags: SessionPick, command: Command) => (await actions()).listSessions(context, command, flags));
  picking(sessions.command('watch'))
    .description('show sessions as they change: a live table on a terminal, else JSON lines')
    .action(async (flags: SessionPick, command: Command) =>
      (await import('./sessions-watch.js')).watchSessions(context, command, flags),
    );
  sessions
    .command('show <id>')
    .description('show one session')
    .action(async (id: string, _flags: object, command: Command) =>
      (await actions()).showSession(context, command, id),
    );
  addGrant(sessions, context);
  sessions
    .command('extend <id>')
    .description('lengthen a live session')
    .requiredOption('--by <duration>', 'by how much', durationFlag)
    .action(async (id: string, flags: { by: DurationMs }, command: Command) =>
      (await actions()).extendSession(context, command, id, flags.by),
    );
  addRevoke(sessions, context);
}

/** What says something of a device only. */
const OF_DEVICES = ['device', 'account', 'passwordRequired', 'command', 'runAs', 'group'];

function addGrant(sessions: Command, context: ToolContext): void {
  waiting(
    sessions
      .command('grant')
      .description('give a session directly, without a request')
      .requiredOption('--user <user>', 'to whom, by id or name')
      .option('--device <device>', 'on which device, by id or name')
      .addOption(new Option('--resource <resource>', 'which resource, by id or name').conflicts(OF_DEVICES))
      .requiredOption('--for <duration>', 'for how long', durationFlag)
      .requiredOption('--reason <text>', 'why', reasonFlag)
      .option(
        '--account <name>',
        "the account on the device (default: the one linked to the user, else the user's name)",
      )
      .option('--password-required', "sudo asks for the person's own password")
      .option('--command <line>', 'allow only this command, exactly; may be repeated', commandFlag)
      .option('--run-as <account>', 'the account that commands run as (default: root)')
      .addOption(
        new Option(
          '--group [name]',
          "membership of a group instead of a sudo rule (default: the administrators' group)",
        )
          .argParser(groupFlag)
          .conflicts(['passwordRequired', 'command', 'runAs']),
      ),
    'wait until the device or the resource has the right',
  ).action(async (flags: GrantFlags, command: Command) => {
    if (flags.device === undefined && flags.resource === undefined)
      usageError(command, 'say where by one of: --device, --resource');
    return (await actions()).grantSession(context, command, flags);
  });
}

function addRevoke(sessions: Command, context: ToolContext): void {
  waiting(
    sessions
      .command('revoke [ids...]')
      .description('end sessions at once')
      .option('--user <user>', 'every live session of this user')
      .option('--device <device>', 'every live session on this device')
      .option('--resource <resource>', 'every live session of this resource')
      .option('--everything', 'every live session there is')
      .requiredOption('--reason <text>', 'why; the person sees it', reasonFlag),
    'wait until the devices and resources have confirmed',
  ).action(async (ids: string[], flags: RevokeFlags, command: Command) => {
    const { user, device, resource, everything } = flags;
    const chosen = [
      ids.length > 0,
      user !== undefined,
      device !== undefined,
      resource !== undefined,
      everything === true,
    ];
    if (chosen.filter(Boolean).length !== 1)
      usageError(command, 'say which sessions by exactly one of: ids, --user, --device, --resource, --everything');
    return (await import('./sessions-revoke.js')).revokeSessions(context, command, ids, flags);
  });
}
