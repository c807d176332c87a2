import type { ContractCase } from './api-contract-case.js';

/** Channels and the audit log, and what is removed at the end. */
export const LOG_CASES: readonly ContractCase[] = [
  // Channels.
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
    name: 'testing none',
    as: 'alice',
    method: 'NotificationService/TestChannel',
    request: { channel: 'none' },
    refused: 'CHANNEL_NOT_FOUND',
  },
  { name: 'deliveries', as: 'erin', method: 'NotificationService/ListDeliveries' },
  { name: 'retrying', as: 'alice', method: 'NotificationService/RetryDeliveries', request: { channel: 'log' } },
  { name: 'removing a channel', as: 'alice', method: 'NotificationService/DeleteChannel', request: { channel: 'log' } },

  // The audit log.
  {
    name: 'audit events',
    as: 'erin',
    method: 'AuditService/ListAuditEvents',
    request: { typePrefix: 'user.', pageSize: 1 },
    has: ['events.0.type', 'events.0.record', 'nextPageToken'],
  },
  { name: 'the checkpoint', as: 'erin', method: 'AuditService/GetCheckpoint', has: ['checkpoint.note', 'auditKey'] },
  {
    name: 'audit events for a user',
    as: 'carol',
    method: 'AuditService/ListAuditEvents',
    refused: 'METHOD_NOT_ALLOWED',
  },

  // Removing.
  {
    name: 'removing a device',
    as: 'alice',
    method: 'DeviceService/RemoveDevice',
    request: { device: 'web-1' },
    has: ['device.removedTime'],
  },
];
