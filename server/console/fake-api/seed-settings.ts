import type { World } from './world.js';

const EVENTS = [
  'request.created',
  'request.approved',
  'session.started',
  'session.revoked',
  'session.expired',
] as const;

/** Channels, deliveries, tokens, and a log that has something in it. */
export function seedSettings(world: World): void {
  const channels = [
    {
      name: 'ops-slack',
      kind: 'CHANNEL_KIND_SLACK',
      target: 'https://slack.example.com/api',
      eventTypes: ['request.'],
    },
    {
      name: 'siem',
      kind: 'CHANNEL_KIND_SYSLOG',
      target: 'tls://siem.example.com:6514',
      lastError: 'connect: connection refused',
      waiting: '3',
      dead: '1',
    },
    { name: 'hook', kind: 'CHANNEL_KIND_WEBHOOK', target: 'https://example.com/curfew', hasSecret: true },
  ] as const;
  for (const channel of channels) {
    const id = world.id('channel');
    world.channels.set(id, {
      id,
      lastDeliveredTime: world.time(-90_000),
      ...channel,
      eventTypes: 'eventTypes' in channel ? [...channel.eventTypes] : [],
    });
  }
  for (let index = 0; index < 12; index++) {
    const id = world.id('delivery');
    world.deliveries.set(id, {
      id,
      channelName: index % 4 === 0 ? 'siem' : 'hook',
      eventType: EVENTS[index % EVENTS.length] ?? '',
      eventIndex: String(index),
      state:
        index === 0 ? 'DELIVERY_STATE_DEAD' : index % 4 === 0 ? 'DELIVERY_STATE_WAITING' : 'DELIVERY_STATE_DELIVERED',
      attempts: index === 0 ? 12 : 1 + (index % 3),
      lastError: index % 4 === 0 ? 'connect: connection refused' : '',
      createTime: world.time(-(index + 1) * 300_000),
    });
  }
  for (const [index, session] of [...world.sessions.values()].slice(-40).entries())
    world.record(EVENTS[index % EVENTS.length] ?? '', `user:${session.userName ?? ''}`, session.id ?? '', {
      reason: session.reason,
    });
  const owner = [...world.users.values()].find(({ name }) => name === 'owner');
  const id = world.id('apiToken');
  world.apiTokens.set(id, {
    id,
    userId: owner?.id ?? '',
    userName: 'owner',
    label: 'backup script',
    scope: 'ROLE_VIEWER',
    createTime: world.time(-9 * 86_400_000),
    expireTime: world.time(21 * 86_400_000),
    lastUsedTime: world.time(-3_600_000),
  });
  world.deviceCodes.set('seed', {
    userCode: 'ABCD-EFGH',
    client: 'curfewctl on laptop-alice',
    address: '192.0.2.17',
    createTime: world.time(-20_000),
    expireMs: world.clock.now() + 580_000,
    decided: 'waiting',
  });
}
