import { Option, type Command } from 'commander';
import {
  CHANNEL_KIND_NAMES,
  DELIVERY_STATE_NAMES,
  eventFlag,
  slackUserFlag,
  type ChannelChange,
} from './channels-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./channels-actions.js');

/** Adds `channels …`. */
export function addChannelCommands(program: Command, context: ToolContext): void {
  const channels = program.command('channels').description('where notices and audit events are sent');
  channels
    .command('list')
    .description('list the channels, and how they do')
    .action(async (_flags: object, command: Command) => (await actions()).listChannels(context, command));
  channels
    .command('put <name>')
    .description('make a channel, or change what is given of one')
    .addOption(new Option('--kind <kind>', 'what it is; needed for a new one').choices(CHANNEL_KIND_NAMES))
    .option('--target <target>', 'where to; needed for a new one')
    .option('--event <type>', 'only events whose type begins so; may be given several times', eventFlag)
    .addOption(new Option('--all-events', 'every event').conflicts('event'))
    .option('--slack-user <id=user>', 'who decides as which user by buttons on Slack; several times', slackUserFlag)
    .option('--secret-file <file>', "a file with the secret; '-' reads it from stdin")
    .option('--disable', 'send nothing until it is enabled')
    .addOption(new Option('--enable', 'go on where it stopped').conflicts('disable'))
    .addHelpText(
      'after',
      `
Targets: webhook https://HOST/PATH, slack CHANNEL_ID, mail ADDRESS[,ADDRESS], syslog tls://HOST:PORT, file NAME.
Secrets: a webhook's signing secret (whsec_…; one is made if none is given), Slack's bot token and signing secret with a
space between. A secret on a command line could be seen by others, so there is no flag for one.`,
    )
    .action(async (name: string, flags: ChannelChange, command: Command) =>
      (await actions()).putChannel(context, command, name, flags),
    );
  for (const [verb, text] of [
    ['delete', 'remove a channel and what waits for it'],
    ['test', 'send a notice now, and say how it went'],
    ['retry', 'put what was given up back in line, and try what waits now'],
  ] as const)
    channels
      .command(`${verb} <channel>`)
      .description(text)
      .action(async (channel: string, _flags: object, command: Command) =>
        (await actions()).CHANNEL_VERBS[verb](context, command, channel),
      );
  channels
    .command('deliveries [channel]')
    .description('list notices that failed at first, newest first')
    .addOption(new Option('--state <state>', 'only in this state').choices(DELIVERY_STATE_NAMES))
    .action(async (channel: string | undefined, flags: { state?: string }, command: Command) =>
      (await actions()).listDeliveries(context, command, channel ?? '', flags.state),
    );
}
