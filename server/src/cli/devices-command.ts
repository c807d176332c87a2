import type { Command } from 'commander';
import { Option } from 'commander';
import { addressFlag, countFlag, durationFlag, type DurationMs } from '@curfew/shared/cli';
import type { DevicePick, JoinTokenWish } from './devices-flags.js';
import type { ToolContext } from './tool-context.js';

const actions = () => import('./devices-actions.js');

/** Adds `devices …`. */
export function addDeviceCommands(program: Command, context: ToolContext): void {
  const devices = program.command('devices').description('managed machines: see, remove, let in');
  devices
    .command('list')
    .description('list the devices')
    .option('--text <text>', 'only where the name has this text')
    .option('--online', 'only those whose link is up')
    .addOption(new Option('--offline', 'only those whose link is down').conflicts('online'))
    .option('--removed', 'only those that were removed')
    .option('--order-by <field>', 'name, enrolled_time or last_seen_time; may end in " desc"')
    .action(async (flags: DevicePick, command: Command) => (await actions()).listDevices(context, command, flags));
  devices
    .command('show <device>')
    .description('show one device and its accounts, by id or name')
    .action(async (device: string, _flags: object, command: Command) =>
      (await actions()).showDevice(context, command, device),
    );
  devices
    .command('label <device> <labels...>')
    .description("set labels that policies pick devices by, as env=prod; 'env=' takes one away")
    .action(async (device: string, labels: string[], _flags: object, command: Command) =>
      (await actions()).labelDevice(context, command, device, labels),
    );
  devices
    .command('remove <device>')
    .description('end every session on a device and cut its link')
    .action(async (device: string, _flags: object, command: Command) =>
      (await actions()).removeDevice(context, command, device),
    );
  devices
    .command('resolve-conflict <device>')
    .description("say that the second user of a device's identity is gone")
    .action(async (device: string, _flags: object, command: Command) =>
      (await actions()).resolveConflict(context, command, device),
    );
  devices
    .command('uninstall-code <device>')
    .description('make a code with which Curfew can be taken off a device, where the server wants one')
    .option('--ttl <duration>', 'how long it works, up to 7 days (default: 1h)', durationFlag)
    .action(async (device: string, flags: { ttl?: DurationMs }, command: Command) =>
      (await actions()).createUninstallCode(context, command, device, flags.ttl),
    );
  addJoinTokens(devices, context);
}

function addJoinTokens(devices: Command, context: ToolContext): void {
  const tokens = devices.command('join-token').description('tokens that let machines enrol');
  tokens
    .command('create')
    .description('make a token, and print the command that enrols a machine with it')
    .option('--uses <count>', 'how many machines may use it (default: 1)', countFlag(1, 10_000))
    .addOption(
      new Option('--for <device>', 'let this device in again after it was set up anew, and no other machine').conflicts(
        'uses',
      ),
    )
    .option('--ttl <duration>', 'how long it works (default: 1h)', durationFlag)
    .option(
      '--address <host:port>',
      'the address that machines reach the server by (default: the one used now)',
      addressFlag,
    )
    .action(async (flags: JoinTokenWish, command: Command) =>
      (await actions()).createJoinToken(context, command, flags),
    );
  tokens
    .command('list')
    .description('list the tokens that still work')
    .action(async (_flags: object, command: Command) => (await actions()).listJoinTokens(context, command));
  tokens
    .command('revoke <id>')
    .description('stop a token')
    .action(async (id: string, _flags: object, command: Command) =>
      (await actions()).revokeJoinToken(context, command, id),
    );
}
