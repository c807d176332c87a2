import { countFlag } from '@curfew/shared/cli';
import type { Command } from 'commander';
import type { RolloutFlags } from './releases-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./releases-actions.js');

/** Adds `releases …` and `rollouts …`. */
export function addReleaseCommands(program: Command, context: ToolContext): void {
  const releases = program
    .command('releases')
    .description('versions of the agent that this server can bring to devices');
  releases
    .command('list')
    .description('list the releases')
    .action(async (_flags: object, command: Command) => (await actions()).listReleases(context, command));
  releases
    .command('add <file>')
    .description('add a release, as npm run package signs them; goes on where it was cut short')
    .action(async (file: string, _flags: object, command: Command) =>
      (await actions()).addRelease(context, command, file),
    );
  releases
    .command('remove <id>')
    .description('forget a release')
    .action(async (id: string, _flags: object, command: Command) =>
      (await actions()).removeRelease(context, command, id),
    );
  addRollouts(program, context);
}

function addRollouts(program: Command, context: ToolContext): void {
  const rollouts = program
    .command('rollouts')
    .description('bring a version of the agent to devices, some of them first');
  rollouts
    .command('start <version>')
    .description('offer a version to devices; again with a larger share to go on')
    .option('--percent <number>', 'the share of all devices, the same ones first each time', countFlag(1, 100))
    .option('--device <device...>', 'devices beside that share, by id or name')
    .action(async (version: string, flags: RolloutFlags, command: Command) =>
      (await actions()).startRollout(context, command, version, flags),
    );
  for (const [name, description] of [
    ['pause', 'offer it to nobody for now; devices that run it go on'],
    ['resume', 'offer it again'],
    ['finish', 'end it: what does not run it yet stays as it is'],
  ] as const)
    rollouts
      .command(name)
      .description(description)
      .action(async (_flags: object, command: Command) => (await actions()).moveRollout(context, command, name));
  rollouts
    .command('status')
    .description('show how far the newest rollout is')
    .action(async (_flags: object, command: Command) => (await actions()).showRollout(context, command));
}
