import type { Command } from 'commander';
import {
  ExtendSessionRequest,
  GetSessionRequest,
  GrantKind,
  GrantSessionRequest,
  ListSessionsRequest,
  Platform,
  Session,
  SessionFilter,
  type SessionChanges,
  SessionKind,
  SessionServiceService as service,
  SessionState,
} from '@curfew/proto';
import {
  CurfewError,
  Exit,
  EXIT,
  leftText,
  outputOf,
  printList,
  printOne,
  protoJson,
  safeText,
  say,
  timeText,
  type DurationMs,
} from '@curfew/shared/cli';
import { durationToProto } from './proto-values.js';
import { everyPage, withServer, type ServerConnection } from './server-connection.js';
import { sessionFields, sessionStateText, sessionTable } from './session-table.js';
import type { GrantFlags, SessionPick } from './sessions-flags.js';
import type { ToolContext } from './tool-context.js';

/** A session as JSON, by the JSON mapping of Protocol Buffers. */
export const sessionJson = (session: Session): unknown => protoJson(Session.toJSON(session));

const PLATFORM = { linux: Platform.LINUX, darwin: Platform.DARWIN, windows: Platform.WINDOWS } as const;
const KINDS = { 'device-admin': SessionKind.DEVICE_ADMIN, 'timed-access': SessionKind.TIMED_ACCESS } as const;
const EVERY_STATE = [SessionState.STARTING, SessionState.ACTIVE, SessionState.ENDING, SessionState.ENDED];

export const sessionFilter = (pick: SessionPick): SessionFilter =>
  SessionFilter.fromPartial({
    kind: pick.tab === undefined ? SessionKind.UNSPECIFIED : KINDS[pick.tab],
    states: pick.all === true ? EVERY_STATE : [],
    user: pick.user ?? '',
    device: pick.device ?? '',
    resource: pick.resource ?? '',
    platform: pick.platform === undefined ? Platform.UNSPECIFIED : PLATFORM[pick.platform],
    text: pick.text ?? '',
  });

/** `sessions list`: every page. */
export async function listSessions(context: ToolContext, command: Command, pick: SessionPick): Promise<void> {
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listSessions,
          ListSessionsRequest.fromPartial({
            filter: sessionFilter(pick),
            orderBy: pick.orderBy ?? '',
            pageSize: 1000,
            pageToken,
          }),
        ),
      ({ sessions }) => sessions,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: sessionJson,
    table: (sessions, look) => sessionTable(sessions, context.clock.now(), look),
    none: pick.all === true ? 'no sessions' : 'no live sessions; --all shows those that have ended',
  });
}

/** `sessions show ID`. */
export async function showSession(context: ToolContext, command: Command, id: string): Promise<void> {
  const { session, changes } = await withServer(context, command, (server) =>
    server.unary(service.getSession, GetSessionRequest.fromPartial({ sessionId: id })),
  );
  await printSession(context, command, known(session), changes);
}

/** `sessions extend ID --by DURATION`. */
export async function extendSession(context: ToolContext, command: Command, id: string, by: DurationMs): Promise<void> {
  const { session } = await withServer(context, command, (server) =>
    server.unary(service.extendSession, ExtendSessionRequest.fromPartial({ sessionId: id, by: durationToProto(by) })),
  );
  const now = context.clock.now();
  say(context, `extended: ${leftText(session?.expireTime, now)} left, until ${timeText(session?.expireTime, now)}`);
  await printSession(context, command, known(session));
}

/** `sessions grant`. With --wait it is done when the device holds the right, and refused when the device refuses. */
export async function grantSession(context: ToolContext, command: Command, flags: GrantFlags): Promise<void> {
  await withServer(context, command, async (server) => {
    const { session } = await server.unary(
      service.grantSession,
      GrantSessionRequest.fromPartial({
        user: flags.user,
        device: flags.device ?? '',
        resource: flags.resource ?? '',
        account: flags.account ?? '',
        duration: durationToProto(flags.for),
        reason: flags.reason,
        ...grantOptions(flags),
      }),
    );
    const given = known(session);
    if (flags.wait !== true) {
      say(context, `granted; see how it goes with: curfewctl sessions show ${given.id}`);
      await printSession(context, command, given);
      return;
    }
    const settled = await untilSettled(context, server, given, flags.timeout);
    await printSession(context, command, settled);
    if (settled.state === SessionState.ACTIVE) return;
    say(context, `the right is not there: ${safeText(sessionStateText(settled, context.clock.now()))}`);
    throw new Exit(settled.state === SessionState.STARTING ? EXIT.timedOut : EXIT.refused);
  });
}

function grantOptions(flags: GrantFlags): object {
  const { passwordRequired, command, runAs, group } = flags;
  if (group !== undefined) return { options: { kind: GrantKind.GROUP_MEMBERSHIP, group: group === true ? '' : group } };
  if (passwordRequired === undefined && command === undefined && runAs === undefined) return {};
  return {
    options: {
      passwordRequired: passwordRequired ?? false,
      commands: (command ?? []).map((argv) => ({ argv })),
      runAs: runAs ?? '',
    },
  };
}

/** Follows a session until it is no longer starting, or the time is over; gives it as last seen. */
async function untilSettled(
  context: ToolContext,
  server: ServerConnection,
  given: Session,
  timeout: DurationMs,
): Promise<Session> {
  const stop = new AbortController();
  const cancel = context.clock.after(timeout, () => stop.abort());
  let last = given;
  try {
    const filter = SessionFilter.fromPartial({ device: given.deviceId, states: EVERY_STATE });
    for await (const { session } of server.stream(service.watchSessions, { filter, changesOnly: false }, stop.signal)) {
      if (session?.id !== given.id) continue;
      last = session;
      if (session.state !== SessionState.STARTING) break;
    }
    return last;
  } finally {
    cancel();
  }
}

export async function getSession(server: ServerConnection, id: string): Promise<Session> {
  const { session } = await server.unary(service.getSession, GetSessionRequest.fromPartial({ sessionId: id }));
  return known(session);
}

export const printSession = (
  context: ToolContext,
  command: Command,
  session: Session,
  changes?: SessionChanges,
): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: sessionJson(session),
    text: (look) => sessionFields(session, changes, context.clock.now(), look),
  });

/** What a server that keeps its contract always sends. */
export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new CurfewError('INTERNAL', { requestId: '(the answer was empty)' });
  return value;
}
