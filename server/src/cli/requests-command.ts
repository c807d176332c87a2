import { Option, type Command } from 'commander';
import { durationFlag, reasonFlag, usageError, type DurationMs } from '@curfew/shared/cli';
import { REQUEST_STATE_NAMES, type RequestPick } from './requests-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./requests-actions.js');

const picking = (command: Command): Command =>
  command
    .addOption(new Option('--state <state>', 'only in this state (default: pending)').choices(REQUEST_STATE_NAMES))
    .addOption(new Option('--all', 'in every state').conflicts('state'))
    .option('--mine', 'only what you may decide now')
    .option('--review', 'only those whose break-glass session waits for a review, in any state')
    .option('--user <user>', "only this user's, by id or name")
    .option('--device <device>', 'only for this device, by id or name')
    .option('--resource <resource>', 'only for this resource, by id or name')
    .option('--text <text>', 'only where a name or the reason has this text');

/** Adds `requests …`. */
export function addRequestCommands(program: Command, context: ToolContext): void {
  const requests = program.command('requests').description('what people ask for: see and decide');
  picking(requests.command('list'))
    .description('list the requests that wait for a decision')
    .option('--order-by <field>', 'create_time, user_name, device_name or state; may end in " desc"')
    .action(async (flags: RequestPick, command: Command) => (await actions()).listRequests(context, command, flags));
  picking(requests.command('watch'))
    .description('show requests as they change: a live table on a terminal, else JSON lines')
    .action(async (flags: RequestPick, command: Command) => (await actions()).watchRequests(context, command, flags));
  requests
    .command('show <id>')
    .description('show one request')
    .action(async (id: string, _flags: object, command: Command) =>
      (await actions()).showRequest(context, command, id),
    );
  requests
    .command('review <id>')
    .description('say afterwards whether a break-glass session was right')
    .option('--accept', 'it was right')
    .addOption(new Option('--reject', 'it was wrong').conflicts('accept'))
    .requiredOption('--reason <text>', 'what you found', reasonFlag)
    .action(async (id: string, flags: { accept?: boolean; reject?: boolean; reason: string }, command: Command) => {
      if (flags.accept !== true && flags.reject !== true) usageError(command, 'say --accept or --reject');
      await (await actions()).reviewRequest(context, command, id, flags.accept === true, flags.reason);
    });
  requests
    .command('approve <id>')
    .description('approve a pending request')
    .option('--reason <text>', 'what to say with it; the person sees it', reasonFlag)
    .option('--for <duration>', 'for how long instead of what was asked; never longer', durationFlag)
    .action(async (id: string, flags: { reason?: string; for?: DurationMs }, command: Command) =>
      (await actions()).approveRequest(context, command, id, flags),
    );
  requests
    .command('deny <id>')
    .description('deny a pending request, or take back an approval that was not started')
    .requiredOption('--reason <text>', 'why; the person sees it', reasonFlag)
    .action(async (id: string, flags: { reason: string }, command: Command) =>
      (await actions()).denyRequest(context, command, id, flags.reason),
    );
}
