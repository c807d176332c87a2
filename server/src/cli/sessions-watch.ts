import type { Command } from 'commander';
import { type Session, SessionServiceService as service, SessionState } from '@curfew/proto';
import {
  everySecond,
  LiveScreen,
  lookOf,
  outputOf,
  printStreamed,
  safeText,
  timeText,
  type Look,
} from '@curfew/shared/cli';
import { interrupted } from './interrupt.js';
import { withServer } from './server-connection.js';
import { sessionStateText, sessionTable } from './session-table.js';
import { sessionFilter, sessionJson } from './sessions-actions.js';
import type { SessionPick } from './sessions-flags.js';
import type { ToolContext } from './tool-context.js';

/** How many sessions that ended while watching stay on the screen. */
const KEEP_ENDED = 5;

/** `sessions watch`, until Ctrl-C: a live table on a terminal, else (or with -o json, jsonl, yaml) every change. */
export async function watchSessions(context: ToolContext, command: Command, pick: SessionPick): Promise<void> {
  const { format, chosen } = outputOf(command);
  const stop = interrupted();
  await withServer(context, command, async (server) => {
    const changes = server.stream(service.watchSessions, { filter: sessionFilter(pick), changesOnly: false }, stop);
    if (format === 'table' && context.stdout.isTTY === true) return liveTable(context, changes);
    for await (const { session } of changes) {
      if (session === undefined) continue;
      if (format !== 'table') await printStreamed(context, format, sessionJson(session));
      else if (chosen) context.stdout.write(changeLine(context, session));
      else await printStreamed(context, 'jsonl', sessionJson(session));
    }
  });
}

function changeLine(context: ToolContext, session: Session): string {
  const now = context.clock.now();
  const what = [session.id, session.userName, session.deviceName, sessionStateText(session, now)];
  return `${timeText(new Date(now), now)}  ${what.map(safeText).join('  ')}\n`;
}

async function liveTable(
  context: ToolContext,
  changes: AsyncIterable<{ session: Session | undefined; synced: boolean }>,
): Promise<void> {
  const screen = new LiveScreen(context);
  const sessions = new Map<string, Session>();
  let synced = false;
  const draw = (look: Look): void => {
    if (synced) screen.draw(livePicture(context, [...sessions.values()], look));
  };
  const stopTicking = everySecond(context, draw);
  try {
    for await (const change of changes) {
      if (change.session !== undefined) remember(sessions, change.session);
      synced ||= change.synced;
      draw(lookOf(context.stdout, context.env));
    }
  } finally {
    stopTicking();
  }
}

function remember(sessions: Map<string, Session>, session: Session): void {
  sessions.delete(session.id);
  sessions.set(session.id, session);
  const ended = [...sessions.values()].filter(({ state }) => state === SessionState.ENDED);
  for (const { id } of ended.slice(0, -KEEP_ENDED)) sessions.delete(id);
}

function livePicture(context: ToolContext, sessions: readonly Session[], look: Look): string {
  const now = context.clock.now();
  const order = (session: Session): number =>
    session.state === SessionState.ENDED ? Infinity : (session.expireTime?.getTime() ?? 0);
  const sorted = sessions.toSorted((a, b) => order(a) - order(b) || a.id.localeCompare(b.id));
  const live = sessions.filter(({ state }) => state !== SessionState.ENDED).length;
  const title = `${timeText(new Date(now), now)}  ${live} live ${live === 1 ? 'session' : 'sessions'}  (Ctrl-C ends)`;
  return `${title}\n${sessionTable(sorted, now, look)}`;
}
