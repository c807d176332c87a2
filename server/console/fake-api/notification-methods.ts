import { roleIsAtLeast } from '../src/api/method-roles.js';
import type { ChannelJson, DeliveryJson } from '../src/gen/api.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { pageOf } from './paging.js';
import { fieldInvalid, refuse } from './refusal.js';
import type { World } from './world.js';

const channelOf = (world: World, given: string | undefined): ChannelJson =>
  find(world.channels.values(), 'channel', given, 'CHANNEL_NOT_FOUND', ({ name }) => name);

const ORDERS = { create_time: (delivery: DeliveryJson) => delivery.createTime ?? '' } as const;

/** Where notices go. */
export const notificationMethods: Pick<
  CallHandlers,
  | 'NotificationService/ListChannels'
  | 'NotificationService/PutChannel'
  | 'NotificationService/DeleteChannel'
  | 'NotificationService/TestChannel'
  | 'NotificationService/ListDeliveries'
  | 'NotificationService/RetryDeliveries'
> = {
  'NotificationService/ListChannels': (world) => ({
    channels: [...world.channels.values()].sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
  }),
  'NotificationService/PutChannel': (world, caller, { channel: given, secret }) => {
    const name = given?.name ?? '';
    if (name === '') throw fieldInvalid('channel.name', 'must not be empty');
    if ((given?.target ?? '') === '') throw fieldInvalid('channel.target', 'must not be empty');
    const before = [...world.channels.values()].find((channel) => channel.name === name);
    const ofOwners = given?.kind === 'CHANNEL_KIND_SLACK' && (before === undefined || given.disabled !== true);
    if (ofOwners && !roleIsAtLeast(caller.role, 'owner')) {
      const fields = { role: caller.role, method: 'PutChannel for a channel on Slack', needed: 'owner' };
      throw refuse('METHOD_NOT_ALLOWED', fields);
    }
    const makesSecret = before === undefined && given?.kind === 'CHANNEL_KIND_WEBHOOK' && (secret ?? '') === '';
    const channel: ChannelJson = {
      ...before,
      ...given,
      id: before?.id ?? world.id('channel'),
      hasSecret: makesSecret || (secret ?? '') !== '' || before?.hasSecret === true,
    };
    world.channels.set(channel.id ?? '', channel);
    world.record('channel.changed', `user:${caller.user.name ?? ''}`, channel.id ?? '');
    return { channel, ...(makesSecret ? { secret: 'whsec_ZmFrZWZha2VmYWtlZmFrZWZha2VmYWtl' } : {}) };
  },
  'NotificationService/DeleteChannel': (world, caller, { channel: given }) => {
    const channel = [...world.channels.values()].find(({ id, name }) => id === given || name === given);
    if (channel !== undefined) {
      world.channels.delete(channel.id ?? '');
      world.record('channel.removed', `user:${caller.user.name ?? ''}`, channel.id ?? '');
    }
    return {};
  },
  'NotificationService/TestChannel': (world, _caller, { channel: given }) => {
    const channel = channelOf(world, given);
    return (channel.lastError ?? '') === ''
      ? { delivered: true, detail: '204 No Content' }
      : { delivered: false, detail: channel.lastError ?? '' };
  },
  'NotificationService/ListDeliveries': (world, _caller, request) => {
    const name =
      request.channel === undefined || request.channel === '' ? undefined : channelOf(world, request.channel).name;
    const isAny = request.state === undefined || request.state === 'DELIVERY_STATE_UNSPECIFIED';
    const fitting = [...world.deliveries.values()].filter(
      (delivery) =>
        (name === undefined || delivery.channelName === name) && (isAny || delivery.state === request.state),
    );
    const page = pageOf(fitting, request, ORDERS, 'create_time desc');
    return { deliveries: page.items, nextPageToken: page.nextPageToken, totalSize: page.totalSize };
  },
  'NotificationService/RetryDeliveries': (world, _caller, { channel: given }) => {
    const { name } = channelOf(world, given);
    const dead = [...world.deliveries.values()].filter(
      (delivery) => delivery.channelName === name && delivery.state === 'DELIVERY_STATE_DEAD',
    );
    for (const delivery of dead)
      world.deliveries.set(delivery.id ?? '', {
        ...delivery,
        state: 'DELIVERY_STATE_WAITING',
        nextAttemptTime: world.time(),
      });
    return { retried: dead.length };
  },
};
