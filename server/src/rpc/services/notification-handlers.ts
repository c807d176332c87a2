import {
  Channel,
  ChannelKind,
  DeleteChannelResponse,
  Delivery,
  DeliveryState,
  ListChannelsResponse,
  ListDeliveriesResponse,
  PutChannelResponse,
  RetryDeliveriesResponse,
  TestChannelResponse,
  type DeleteChannelRequest,
  type ListDeliveriesRequest,
  type PutChannelRequest,
  type RetryDeliveriesRequest,
  type TestChannelRequest,
} from '@curfew/proto';
import { CurfewError } from '@curfew/shared';
import type { ChannelKind as KindRecord, DeliveryState as StateRecord } from '../../notifiers/channel-kind.js';
import type { ChannelWish } from '../../notifiers/channel-rules.js';
import type { Channels, ChannelStatus, DeliveryRecord } from '../../notifiers/channels.js';
import type { Notifier } from '../../notifiers/notifier.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { dateFromMs } from '../proto-values.js';

const kindToProto = (kind: KindRecord): ChannelKind => ChannelKind[kind.toUpperCase() as keyof typeof ChannelKind];
const stateToProto = (state: StateRecord): DeliveryState =>
  DeliveryState[state.toUpperCase() as keyof typeof DeliveryState];

const channelToProto = (channel: ChannelStatus): Channel =>
  Channel.fromPartial({
    id: channel.id,
    name: channel.name,
    kind: kindToProto(channel.kind),
    target: channel.target,
    eventTypes: [...channel.eventTypes],
    disabled: channel.disabled === 1,
    hasSecret: channel.secret !== '',
    waiting: BigInt(channel.waiting),
    dead: BigInt(channel.dead),
    lastError: channel.last_error,
    lastDeliveredTime: dateFromMs(channel.last_delivered_at_ms),
    slackUsers: channel.slackUsers.map(({ slack_id, user_name }) => ({ slackId: slack_id, user: user_name })),
  });

const deliveryToProto = (delivery: DeliveryRecord): Delivery =>
  Delivery.fromPartial({
    id: delivery.id,
    channelName: delivery.channel_name,
    eventType: delivery.event_type,
    eventIndex: BigInt(delivery.event_idx),
    state: stateToProto(delivery.state),
    attempts: delivery.attempts,
    lastError: delivery.last_error,
    createTime: dateFromMs(delivery.created_at_ms),
    nextAttemptTime: dateFromMs(delivery.next_attempt_at_ms),
  });

function wishFromProto({ channel, secret }: PutChannelRequest): ChannelWish {
  if (channel === undefined || channel.kind === ChannelKind.UNSPECIFIED)
    throw new CurfewError('CHANNEL_INVALID', { field: 'channel.kind', problem: 'is required' });
  const { name, kind, target, eventTypes, disabled, slackUsers } = channel;
  return {
    name,
    kind: ChannelKind[kind].toLowerCase() as KindRecord,
    target,
    eventTypes,
    disabled,
    slackUsers,
    secret,
  };
}

export function notificationHandlers({
  channels,
  notifier,
}: {
  readonly channels: Channels;
  readonly notifier: Notifier;
}) {
  return {
    listChannels: async () =>
      ListChannelsResponse.fromPartial({ channels: (await channels.list()).map(channelToProto) }),
    putChannel: async (request: PutChannelRequest, identity: Identity) => {
      const { channel, secret } = await channels.put(callerOf(identity), wishFromProto(request));
      return PutChannelResponse.fromPartial({ channel: channelToProto(channel), secret });
    },
    deleteChannel: async (request: DeleteChannelRequest, identity: Identity) => {
      await channels.delete(callerOf(identity), request.channel);
      return DeleteChannelResponse.fromPartial({});
    },
    testChannel: async (request: TestChannelRequest, identity: Identity) => {
      const channel = await channels.find(request.channel);
      const { kind, detail } = await notifier.test(channel);
      const arrived = kind === 'delivered';
      await channels.tested(callerOf(identity), channel, arrived);
      return TestChannelResponse.fromPartial({ delivered: arrived, detail });
    },
    listDeliveries: async (request: ListDeliveriesRequest) => {
      const { state } = request;
      const page = await channels.deliveries({
        ...request,
        state: state === DeliveryState.UNSPECIFIED ? undefined : (DeliveryState[state].toLowerCase() as StateRecord),
      });
      return ListDeliveriesResponse.fromPartial({
        deliveries: page.deliveries.map(deliveryToProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    retryDeliveries: async (request: RetryDeliveriesRequest, identity: Identity) =>
      RetryDeliveriesResponse.fromPartial({ retried: await channels.retry(callerOf(identity), request.channel) }),
  };
}
