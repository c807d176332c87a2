import {
  AuditEvent,
  ExportAuditLogResponse,
  GetCheckpointResponse,
  ListAuditEventsResponse,
  type ExportAuditLogRequest,
  type ListAuditEventsRequest,
} from '@curfew/proto';
import type { AuditLog, AuditRecord } from '../../audit/audit-log.js';
import type { Identity } from '../authenticate.js';
import { dateFromMs } from '../proto-values.js';
import type { AnswerStream } from '../service-host.js';

const toProto = (event: AuditRecord): AuditEvent =>
  AuditEvent.fromPartial({
    index: BigInt(event.idx),
    time: dateFromMs(event.at_ms),
    type: event.type,
    actor: event.actor,
    subject: event.subject,
    record: event.record,
  });

export function auditHandlers(log: AuditLog) {
  return {
    listAuditEvents: async (request: ListAuditEventsRequest) => {
      const page = await log.list(request);
      return ListAuditEventsResponse.fromPartial({
        events: page.events.map(toProto),
        nextPageToken: page.nextPageToken,
      });
    },
    exportAuditLog: async (
      _request: ExportAuditLogRequest,
      _: Identity,
      stream: AnswerStream<ExportAuditLogResponse>,
    ) => {
      for await (const part of log.export())
        await stream.send(
          ExportAuditLogResponse.fromPartial(
            'events' in part
              ? { events: part.events.map(toProto) }
              : { checkpoint: { note: part.checkpoint }, auditKey: log.verificationKey },
          ),
        );
    },
    getCheckpoint: async () =>
      GetCheckpointResponse.fromPartial({
        checkpoint: { note: await log.checkpoint() },
        auditKey: log.verificationKey,
      }),
  };
}
