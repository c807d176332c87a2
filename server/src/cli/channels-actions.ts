import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  Channel,
  ChannelKind,
  Delivery,
  DeliveryState,
  ListDeliveriesRequest,
  NotificationServiceService as service,
  PutChannelRequest,
  PutChannelResponse,
  RetryDeliveriesResponse,
  TestChannelResponse,
} from '@curfew/proto';
import {
  CurfewError,
  Exit,
  EXIT,
  outputOf,
  printList,
  printOne,
  protoJson,
  renderFields,
  safeText,
  say,
  usageError,
} from '@curfew/shared/cli';
import { channelFields, channelTable, deliveryTable } from './channel-table.js';
import type { ChannelChange } from './channels-flags.js';
import { everyPage, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

/** `channels list`. */
export async function listChannels(context: ToolContext, command: Command): Promise<void> {
  const { channels } = await withServer(context, command, (server) => server.unary(service.listChannels, {}));
  await printList(context, outputOf(command).format, {
    items: channels,
    json: (channel) => protoJson(Channel.toJSON(channel)),
    table: (items, look) => channelTable(items, context.clock.now(), look),
    none: 'no channels; make one with: curfewctl channels put NAME --kind KIND --target TARGET',
  });
}

/** `channels put NAME`: of a channel that is there, only what was given changes. */
export async function putChannel(
  context: ToolContext,
  command: Command,
  name: string,
  flags: ChannelChange,
): Promise<void> {
  const secret = flags.secretFile === undefined ? '' : await readSecret(context, flags.secretFile);
  const answer = await withServer(context, command, async (server) => {
    const { channels } = await server.unary(service.listChannels, {});
    const before = channels.find((channel) => channel.name.toLowerCase() === name.toLowerCase());
    if (before === undefined && (flags.kind === undefined || flags.target === undefined))
      usageError(command, `there is no channel '${name}'; a new one needs --kind and --target`);
    const channel = {
      name,
      kind: flags.kind === undefined ? (before?.kind ?? ChannelKind.UNSPECIFIED) : kindFromText(flags.kind),
      target: flags.target ?? before?.target ?? '',
      eventTypes: flags.allEvents === true ? [] : [...(flags.event ?? before?.eventTypes ?? [])],
      disabled: flags.disable === true || (flags.enable !== true && before?.disabled === true),
      slackUsers: [...(flags.slackUser ?? before?.slackUsers ?? [])],
    };
    return server.unary(service.putChannel, PutChannelRequest.fromPartial({ channel, secret }));
  });
  if (answer.secret !== '') say(context, 'The signing secret is shown only now. Give it to the receiver:');
  await printOne(context, outputOf(command).format, {
    json: protoJson(PutChannelResponse.toJSON(answer)),
    text: (look) =>
      channelFields(known(answer.channel), context.clock.now(), look) +
      (answer.secret === '' ? '' : renderFields([['signing secret', answer.secret]], look)),
  });
}

const kindFromText = (text: string): ChannelKind => ChannelKind[text.toUpperCase() as keyof typeof ChannelKind];

/** The secret in a file or on stdin, without the line's end. Errors: FIELD_INVALID. */
async function readSecret({ stdin }: ToolContext, file: string): Promise<string> {
  if (file !== '-')
    try {
      return readFileSync(file, 'utf8').trim();
    } catch (cause) {
      throw new CurfewError('FIELD_INVALID', { field: '--secret-file', problem: `${file} cannot be read` }, { cause });
    }
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8').trim();
}

/** `channels delete CHANNEL`. */
async function deleteChannel(context: ToolContext, command: Command, channel: string): Promise<void> {
  await withServer(context, command, (server) => server.unary(service.deleteChannel, { channel }));
  say(context, `'${safeText(channel)}' is gone, with what waited for it`);
}

/** `channels test CHANNEL`: ends with the code for a failure when the notice did not arrive. */
async function testChannel(context: ToolContext, command: Command, channel: string): Promise<void> {
  const answer = await withServer(context, command, (server) => server.unary(service.testChannel, { channel }));
  await printOne(context, outputOf(command).format, {
    json: protoJson(TestChannelResponse.toJSON(answer)),
    text: () => `${answer.delivered ? 'arrived' : 'failed'}: ${safeText(answer.detail)}\n`,
  });
  if (!answer.delivered) throw new Exit(EXIT.refused);
}

/** `channels retry CHANNEL`. */
async function retryDeliveries(context: ToolContext, command: Command, channel: string): Promise<void> {
  const answer = await withServer(context, command, (server) => server.unary(service.retryDeliveries, { channel }));
  await printOne(context, outputOf(command).format, {
    json: protoJson(RetryDeliveriesResponse.toJSON(answer)),
    text: () => `${answer.retried} back in line\n`,
  });
}

/** The commands that take a channel and nothing else. */
export const CHANNEL_VERBS = { delete: deleteChannel, test: testChannel, retry: retryDeliveries } as const;

/** `channels deliveries [CHANNEL]`: every page. */
export async function listDeliveries(
  context: ToolContext,
  command: Command,
  channel: string,
  stateName: string | undefined,
): Promise<void> {
  const state =
    stateName === undefined
      ? DeliveryState.UNSPECIFIED
      : DeliveryState[stateName.toUpperCase() as keyof typeof DeliveryState];
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listDeliveries,
          ListDeliveriesRequest.fromPartial({ channel, state, pageSize: 1000, pageToken }),
        ),
      ({ deliveries }) => deliveries,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: (delivery) => protoJson(Delivery.toJSON(delivery)),
    table: (deliveries, look) => deliveryTable(deliveries, context.clock.now(), look),
    none: 'no such deliveries; what arrives at once leaves none behind',
  });
}
