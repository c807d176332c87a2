import type { ContractCase } from './contract-case.js';

/** The audit log. */
export const AUDIT_CASES: readonly ContractCase[] = [
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
  {
    name: 'the whole log',
    as: 'erin',
    method: 'AuditService/ExportAuditLog',
    watches: true,
    has: ['events.0.record', 'checkpoint.note', 'auditKey'],
  },
];
