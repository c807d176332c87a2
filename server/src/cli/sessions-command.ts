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
import { speedFlag, type ReplayFlags } from './replay-flags.js';
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
  sessions
    .command('changes <id>')
    .description('what a session leaves behind on its device: rules, accounts, jobs, keys')
    .action(async (id: string, _flags: object, command: Command) =>
      (await import('./session-changes.js')).showSessionChanges(context, command, id),
    );
  addRecordings(sessions, context);
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

/** Adds what is recorded of sessions. */
function addRecordings(sessions: Command, context: ToolContext): void {
  sessions
    .command('recordings <id>')
    .description('list what was run with sudo in a session')
    .action(async (id: string, _flags: object, command: Command) =>
      (await import('./recordings-actions.js')).listRecordings(context, command, id),
    );
  sessions
    .command('replay <recording>')
    .description('show what was on the terminal; what runs is followed. Who looks is in the audit log')
    .addOption(new Option('--speed <factor>', 'how many times faster').argParser(speedFlag).default(1, '1'))
    .addOption(
      new Option('--max-idle <duration>', 'the longest pause').argParser(durationFlag).default(2 * SECOND, '2s'),
    )
    .option('--text', 'as lines, at once, without anything that a terminal acts on; so too where there is no terminal')
    .addOption(new Option('--cast <file>', 'write an asciicast (version 2); - is stdout').conflicts(['text', 'raw']))
    .addOption(new Option('--raw <file>', 'write exactly the bytes that were written; - is stdout').conflicts('text'))
    .action(async (id: string, flags: ReplayFlags, command: Command) =>
      (await import('./replay.js')).replayRecording(context, command, id, flags),
    );
  sessions
    .command('cut <recording>')
    .description('end a command that runs; its session goes on')
    .action(async (id: string, _flags: object, command: Command) =>
      (await import('./recordings-actions.js')).cutRecording(context, command, id),
    );
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
