import type { ContractCase } from './contract-case.js';

/** Channels. */
export const NOTIFICATION_CASES: readonly ContractCase[] = [
  {
    name: 'a channel',
    as: 'alice',
    method: 'NotificationService/PutChannel',
    request: { channel: { name: 'log', kind: 'CHANNEL_KIND_FILE', target: 'audit.jsonl' } },
    has: ['channel.id', 'channel.name'],
  },
  { name: 'channels', as: 'erin', method: 'NotificationService/ListChannels', has: ['channels.0.target'] },
  {
    name: 'a channel by a viewer',
    as: 'erin',
    method: 'NotificationService/PutChannel',
    request: { channel: { name: 'x' } },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'a channel on Slack by an admin',
    as: 'alice',
    method: 'NotificationService/PutChannel',
    request: { channel: { name: 'ops', kind: 'CHANNEL_KIND_SLACK', target: 'C0123ABCDEF' } },
    refused: 'METHOD_NOT_ALLOWED',
  },
  {
    name: 'testing none',
    as: 'alice',
    method: 'NotificationService/TestChannel',
    request: { channel: 'none' },
    refused: 'CHANNEL_NOT_FOUND',
  },
  { name: 'deliveries', as: 'erin', method: 'NotificationService/ListDeliveries' },
  { name: 'retrying', as: 'alice', method: 'NotificationService/RetryDeliveries', request: { channel: 'log' } },
  { name: 'removing a channel', as: 'alice', method: 'NotificationService/DeleteChannel', request: { channel: 'log' } },
];
