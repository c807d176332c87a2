import type { Command } from 'commander';
import { AuditEvent, AuditServiceService as service, ListAuditEventsRequest } from '@curfew/proto';
import { CurfewError, outputOf, printList, renderTable, say, timeText } from '@curfew/shared/cli';
import type { AuditPick } from './audit-flags.js';
import { eventLine, sealLine } from './audit-export-file.js';
import { withServer, type ServerConnection } from './server-connection.js';
import type { ToolContext } from './tool-context.js';
import { writeWholeFile } from './whole-file.js';

/** `audit list`: as many pages as the limit needs. */
export async function listEvents(context: ToolContext, command: Command, pick: AuditPick): Promise<void> {
  const items = await withServer(context, command, async (server) => {
    const events: AuditEvent[] = [];
    let pageToken = '';
    do {
      const page = await server.unary(
        service.listAuditEvents,
        ListAuditEventsRequest.fromPartial({
          typePrefix: pick.type ?? '',
          actor: pick.actor ?? '',
          subject: pick.subject ?? '',
          pageSize: Math.min(1000, pick.limit - events.length),
          pageToken,
        }),
      );
      events.push(...page.events);
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && events.length < pick.limit);
    return events.slice(0, pick.limit);
  });
  const now = context.clock.now();
  await printList(context, outputOf(command).format, {
    items,
    json: (event) => AuditEvent.toJSON(event),
    table: (events, look) =>
      renderTable<AuditEvent>(
        [
          { title: 'INDEX', value: ({ index }) => String(index) },
          { title: 'TIME', value: ({ time }) => timeText(time, now) },
          { title: 'TYPE', value: ({ type }) => type },
          { title: 'ACTOR', value: ({ actor }) => actor, flexible: true },
          { title: 'SUBJECT', value: ({ subject }) => subject },
        ],
        events,
        look,
      ),
    none: 'no such events',
  });
}

/** `audit export FILE`: the file is there whole, or not at all. */
export async function exportLog(context: ToolContext, command: Command, file: string): Promise<void> {
  const count = await withServer(context, command, async (server) => {
    if (file === '-') return writeExport(server, (text) => void context.stdout.write(text));
    return writeWholeFile(file, (write) => writeExport(server, write));
  });
  say(context, `${count} records exported; check them with: curfewctl audit verify ${file}`);
}

async function writeExport(server: ServerConnection, write: (text: string) => void | Promise<void>): Promise<number> {
  let count = 0;
  let sealed = false;
  for await (const part of server.stream(service.exportAuditLog, {})) {
    for (const event of part.events) await write(eventLine(Number(event.index), event.record));
    count += part.events.length;
    if (part.checkpoint === undefined) continue;
    await write(sealLine(part.checkpoint.note, part.auditKey));
    sealed = true;
  }
  if (!sealed) throw new CurfewError('STORAGE_FAILED', { detail: 'the export ended without its checkpoint' });
  return count;
}
