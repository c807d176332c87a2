import type { Command } from 'commander';
import {
  ChangeAction,
  ChangeKind,
  GetSessionRequest,
  LastingChange,
  SessionServiceService as service,
  Severity,
  type SessionChanges,
} from '@curfew/proto';
import {
  outputOf,
  printList,
  protoJson,
  renderTable,
  say,
  timeText,
  type CellStyle,
  type Look,
} from '@curfew/shared/cli';
import { enumText } from './proto-values.js';
import { withServer } from './server-connection.js';
import type { ToolContext } from './tool-context.js';

const STYLES: Partial<Record<Severity, CellStyle>> = { [Severity.CRITICAL]: 'red', [Severity.WARNING]: 'yellow' };

/** `sessions changes ID`. */
export async function showSessionChanges(context: ToolContext, command: Command, id: string): Promise<void> {
  const { changes } = await withServer(context, command, (server) =>
    server.unary(service.getSession, GetSessionRequest.fromPartial({ sessionId: id })),
  );
  await printList(context, outputOf(command).format, {
    items: changes?.changes ?? [],
    json: (change) => protoJson(LastingChange.toJSON(change)),
    table: changesTable,
    none: changes === undefined ? 'its device has told nothing yet' : 'nothing was found',
  });
  if (changes === undefined) return;
  for (const gap of changes.gaps) say(context, gap);
  if (!changes.final) say(context, `as of ${timeText(changes.lookTime, context.clock.now())}; the device looks again`);
}

const changesTable = (changes: readonly LastingChange[], look: Look): string =>
  renderTable<LastingChange>(
    [
      {
        title: 'SEVERITY',
        value: ({ severity }) => enumText(Severity, severity),
        style: ({ severity }) => STYLES[severity],
      },
      { title: 'WHAT', value: ({ kind }) => enumText(ChangeKind, kind).replaceAll('_', ' ') },
      {
        title: 'CHANGE',
        value: ({ action, present, undone }) =>
          `${enumText(ChangeAction, action)}${undone ? ', undone by Curfew' : present ? '' : ', undone'}`,
      },
      { title: 'NAME', value: ({ subject }) => subject },
      { title: 'PACKAGE', value: (change) => change.package },
      { title: 'DETAIL', value: ({ detail }) => detail, flexible: true },
    ],
    changes,
    look,
  );

/** How much of what was found matters how much, in words; '' when nothing is known. */
export function changesSummary(changes: SessionChanges | undefined): string {
  if (changes === undefined) return '';
  const counts = [Severity.CRITICAL, Severity.WARNING, Severity.NOTICE].flatMap((severity) => {
    const count = changes.changes.filter((change) => change.severity === severity).length;
    return count === 0 ? [] : [`${count} ${enumText(Severity, severity)}`];
  });
  return counts.length === 0 ? 'nothing found' : counts.join(', ');
}
