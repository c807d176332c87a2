import type { Command } from 'commander';
import {
  CreateJoinTokenRequest,
  CreateJoinTokenResponse,
  CreateUninstallCodeRequest,
  CreateUninstallCodeResponse,
  Device,
  DeviceServiceService as service,
  DeviceState,
  JoinToken,
  ListDevicesRequest,
  ListJoinTokensRequest,
  UpdateDeviceRequest,
} from '@curfew/proto';
import {
  outputOf,
  printList,
  printOne,
  protoJson,
  safeText,
  say,
  timeAndDistance,
  usageError,
  type DurationMs,
} from '@curfew/shared/cli';
import { deviceFields, deviceTable, joinTokenTable } from './device-table.js';
import type { DevicePick, JoinTokenWish } from './devices-flags.js';
import { durationToProto } from './proto-values.js';
import { everyPage, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

const deviceJson = (device: Device): unknown => protoJson(Device.toJSON(device));

/** `devices list`: every page. */
export async function listDevices(context: ToolContext, command: Command, pick: DevicePick): Promise<void> {
  const online = pick.online === true ? true : pick.offline === true ? false : undefined;
  const filter = {
    text: pick.text ?? '',
    states: pick.removed === true ? [DeviceState.REMOVED] : [],
    ...(online === undefined ? {} : { online }),
  };
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listDevices,
          ListDevicesRequest.fromPartial({ filter, orderBy: pick.orderBy ?? '', pageSize: 1000, pageToken }),
        ),
      ({ devices }) => devices,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: deviceJson,
    table: (devices, look) => deviceTable(devices, context.clock.now(), look),
    none: 'no devices; let one in with: curfewctl devices join-token create',
  });
}

/** `devices show DEVICE`. */
export async function showDevice(context: ToolContext, command: Command, name: string): Promise<void> {
  const { device } = await withServer(context, command, (server) => server.unary(service.getDevice, { device: name }));
  await printDevice(context, command, known(device));
}

/** `devices label DEVICE NAME=VALUE…`: the labels that are not named stay. */
export async function labelDevice(
  context: ToolContext,
  command: Command,
  name: string,
  given: readonly string[],
): Promise<void> {
  const changes = given.map((text) => {
    const [, label = '', value = ''] = /^([^=]+)=(.*)$/.exec(text) ?? [];
    if (label === '') usageError(command, `'${text}' is no label: write it as name=value, or as name= to take it away`);
    return [label, value] as const;
  });
  const { device } = await withServer(context, command, async (server) => {
    const before = known((await server.unary(service.getDevice, { device: name })).device);
    const labels = new Map(Object.entries(before.labels));
    for (const [label, value] of changes) {
      if (value === '') labels.delete(label);
      else labels.set(label, value);
    }
    const wish = UpdateDeviceRequest.fromPartial({ device: before.id, labels: Object.fromEntries(labels) });
    return server.unary(service.updateDevice, wish);
  });
  await printDevice(context, command, known(device));
}

/** `devices remove DEVICE`. */
export async function removeDevice(context: ToolContext, command: Command, name: string): Promise<void> {
  const { device } = await withServer(context, command, (server) =>
    server.unary(service.removeDevice, { device: name }),
  );
  say(context, `removed; '${safeText(known(device).name)}' can come back only with a new join token`);
  await printDevice(context, command, known(device));
}

/** `devices resolve-conflict DEVICE`. */
export async function resolveConflict(context: ToolContext, command: Command, name: string): Promise<void> {
  const { device } = await withServer(context, command, (server) =>
    server.unary(service.resolveIdentityConflict, { device: name }),
  );
  await printDevice(context, command, known(device));
}

const printDevice = (context: ToolContext, command: Command, device: Device): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: deviceJson(device),
    text: (look) => deviceFields(device, context.clock.now(), look),
  });

/** `devices uninstall-code DEVICE`. */
export async function createUninstallCode(
  context: ToolContext,
  command: Command,
  device: string,
  ttl: DurationMs | undefined,
): Promise<void> {
  const wish = CreateUninstallCodeRequest.fromPartial({
    device,
    ...(ttl === undefined ? {} : { ttl: durationToProto(ttl) }),
  });
  const answer = await withServer(context, command, (server) => server.unary(service.createUninstallCode, wish));
  const until = timeAndDistance(answer.expireTime, context.clock.now());
  say(context, `until ${until}. On the device, as root: CURFEW_UNINSTALL_CODE=CODE apt-get purge curfew-agent, or`);
  say(context, 'curfew-agent uninstall --code CODE, where CODE is:');
  await printOne(context, outputOf(command).format, {
    json: protoJson(CreateUninstallCodeResponse.toJSON(answer)),
    text: () => `${safeText(answer.code)}\n`,
  });
}

/** `devices join-token create`: the secret is shown this once, inside the command that uses it. */
export async function createJoinToken(context: ToolContext, command: Command, flags: JoinTokenWish): Promise<void> {
  const { answer, address } = await withServer(context, command, async (server) => ({
    address: flags.address ?? server.address,
    answer: await server.unary(
      service.createJoinToken,
      CreateJoinTokenRequest.fromPartial({
        uses: flags.uses ?? 1,
        ...(flags.for === undefined ? {} : { device: flags.for }),
        ...(flags.ttl === undefined ? {} : { ttl: durationToProto(flags.ttl) }),
      }),
    ),
  }));
  const token = known(answer.joinToken);
  const machines =
    token.deviceName !== ''
      ? `'${safeText(token.deviceName)}' alone, whose sessions end and whose former key is refused from then on`
      : token.uses === 1
        ? 'one machine'
        : `${token.uses} machines`;
  say(
    context,
    `for ${machines}, until ${timeAndDistance(token.expireTime, context.clock.now())}; shown only now. On the machine, as root:`,
  );
  if (/^(localhost|127\.|\[::1\])/.test(address))
    say(context, `(${address} is this machine only; pass --address for others)`);
  await printOne(context, outputOf(command).format, {
    json: protoJson(CreateJoinTokenResponse.toJSON(answer)),
    // A token on the command line itself could be seen by everybody on that machine.
    text: () => `echo ${safeText(answer.secret)} | curfew-agent enroll --server ${address} --token-file -\n`,
  });
}

/** `devices join-token list`. */
export async function listJoinTokens(context: ToolContext, command: Command): Promise<void> {
  const { joinTokens } = await withServer(context, command, (server) =>
    server.unary(service.listJoinTokens, ListJoinTokensRequest.fromPartial({})),
  );
  await printTokens(context, command, joinTokens);
}

/** `devices join-token revoke ID`. */
export async function revokeJoinToken(context: ToolContext, command: Command, id: string): Promise<void> {
  const { joinToken } = await withServer(context, command, (server) =>
    server.unary(service.revokeJoinToken, { joinTokenId: id }),
  );
  await printTokens(context, command, [known(joinToken)]);
}

const printTokens = (context: ToolContext, command: Command, items: readonly JoinToken[]): Promise<void> =>
  printList(context, outputOf(command).format, {
    items,
    json: (token) => protoJson(JoinToken.toJSON(token)),
    table: (tokens, look) => joinTokenTable(tokens, context.clock.now(), look),
    none: 'no join tokens',
  });
