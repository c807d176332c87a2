import {
  Platform,
  ExtendSessionResponse,
  GetSessionResponse,
  GrantSessionResponse,
  ListSessionsResponse,
  RevokeOutcome,
  RevokeSessionsResponse,
  SessionChanges,
  SessionKind,
  WatchSessionsResponse,
  type ExtendSessionRequest,
  type GetSessionRequest,
  type GrantSessionRequest,
  type ListSessionsRequest,
  type RevokeSessionsRequest,
  type SessionFilter as ProtoFilter,
  type WatchSessionsRequest,
} from '@curfew/proto';
import { CurfewError, durationMs, type Clock } from '@curfew/shared';
import type { LinkHub } from '../../link/link-hub.js';
import type { Ledger } from '../../ledger/ledger.js';
import { nextTurn } from '../../next-turn.js';
import { diesBy } from '../../sessions/offline-end.js';
import type { SessionRecord } from '../../sessions/session-record.js';
import type { SessionFilter } from '../../sessions/list-sessions.js';
import type { SessionChanges as ChangesOfSessions } from '../../sessions/session-changes.js';
import type { RevokeSelection, Sessions } from '../../sessions/sessions.js';
import type { Caller } from '../../users/caller.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { dateFromMs, msFromDuration } from '../proto-values.js';
import { optionsFromProto } from '../grant-options.js';
import { sessionStateFromProto, sessionToProto } from '../records-to-proto.js';
import type { AnswerStream } from '../service-host.js';
import { watchChanges } from '../watch-changes.js';

/** How many results are made before others get their turn. */
const WRITTEN_AT_ONCE = 1_000;
/** How many sessions a revoke that waits asks the ledger about at a time. */
const LOOKED_AT_ONCE = 5_000;

export interface SessionHandlerParts {
  readonly ledger: Ledger;
  readonly sessions: Sessions;
  readonly changes: Pick<ChangesOfSessions, 'of'>;
  readonly hub: LinkHub;
  readonly clock: Clock;
  readonly passwordRequired: boolean;
}

export function sessionHandlers(parts: SessionHandlerParts) {
  const { sessions, hub } = parts;
  const toProto = (session: SessionRecord) => sessionToProto(session, hub.isLinked);
  return {
    listSessions: async (request: ListSessionsRequest) => {
      const page = await sessions.list({ ...request, filter: filterFromProto(request.filter) });
      return ListSessionsResponse.fromPartial({
        sessions: page.sessions.map(toProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    getSession: async (request: GetSessionRequest) => {
      const session = await sessions.get(request.sessionId);
      const changes = changesToProto(await parts.changes.of(session.id));
      return GetSessionResponse.fromPartial({ session: toProto(session), changes });
    },
    watchSessions: (request: WatchSessionsRequest, _: Identity, stream: AnswerStream<WatchSessionsResponse>) => {
      const filter = filterFromProto(request.filter);
      const sent = new Map<string, { readonly deviceId: string; readonly linked: boolean }>();
      const send = async (session: SessionRecord): Promise<void> => {
        sent.set(session.id, { deviceId: session.device_id, linked: hub.isLinked(session.device_id) });
        await stream.send(WatchSessionsResponse.fromPartial({ session: toProto(session) }));
      };
      /** The sessions that are shown with another link state than their device has now. */
      const shownWrongly = (ids: readonly string[]): string[] => {
        const changed = new Set(ids);
        return [...sent]
          .filter(([, { deviceId, linked }]) => changed.has(deviceId) && hub.isLinked(deviceId) !== linked)
          .map(([id]) => id);
      };
      const page = (pageToken: string) => sessions.list({ filter, orderBy: 'create_time', pageSize: 1000, pageToken });
      if (request.changesOnly)
        return watchChanges(parts.ledger, ['session', 'device'], stream.signal, {
          first: () => stream.send(WatchSessionsResponse.fromPartial({ synced: true })),
          changed: async (ids) => {
            for (const session of await sessions.touchedBy(ids))
              await stream.send(WatchSessionsResponse.fromPartial({ session: toProto(session) }));
          },
        });
      return watchChanges(parts.ledger, ['session', 'device'], stream.signal, {
        first: async () => {
          for (let token: string | undefined = ''; token !== undefined;) {
            const { sessions: found, nextPageToken } = await page(token);
            for (const session of found) await send(session);
            token = nextPageToken === '' ? undefined : nextPageToken;
          }
          await stream.send(WatchSessionsResponse.fromPartial({ synced: true }));
        },
        changed: async (ids) => {
          const wanted = filter.states.length > 0 ? filter.states : ['starting', 'active', 'ending'];
          for (const session of await sessions.byIds([...new Set([...ids, ...shownWrongly(ids)])])) {
            const fits = wanted.includes(session.state) && fitsNames(filter, session);
            if (!fits && !sent.has(session.id)) continue;
            await send(session);
            if (!fits) sent.delete(session.id);
          }
        },
      });
    },
    grantSession: async (request: GrantSessionRequest, identity: Identity) => {
      const session = await sessions.grant(callerOf(identity), {
        ...request,
        durationMs: required('duration', request.duration),
        options: optionsFromProto(request.options, parts.passwordRequired),
      });
      return GrantSessionResponse.fromPartial({ session: toProto(session) });
    },
    extendSession: async (request: ExtendSessionRequest, identity: Identity) => {
      const session = await sessions.extend(callerOf(identity), request.sessionId, required('by', request.by));
      return ExtendSessionResponse.fromPartial({ session: toProto(session) });
    },
    revokeSessions: (request: RevokeSessionsRequest, identity: Identity) =>
      revokeSessions(parts, callerOf(identity), request),
  };
}

async function revokeSessions(parts: SessionHandlerParts, caller: Caller, request: RevokeSessionsRequest) {
  const { sessions } = parts;
  const { ids, sessions: decided } = await sessions.revoke(caller, selectionFromProto(request), request.reason);
  const waitMs = request.wait === undefined ? 0 : msFromDuration(request.wait);
  if (waitMs > 0) await untilSettled(parts, ids, waitMs);
  const now = (waitMs === 0 ? decided : undefined) ?? (await sessions.byIdsInParts(ids));
  return RevokeSessionsResponse.fromPartial({ results: await revokeResults(now, parts) });
}

const changesToProto = (report: string | undefined): SessionChanges | undefined =>
  report === undefined ? undefined : SessionChanges.fromJSON(JSON.parse(report));

async function revokeResults(sessions: readonly SessionRecord[], parts: SessionHandlerParts) {
  const results: ReturnType<typeof revokeResult>[] = [];
  for (let at = 0; at < sessions.length; at += WRITTEN_AT_ONCE) {
    if (at > 0) await nextTurn();
    results.push(...sessions.slice(at, at + WRITTEN_AT_ONCE).map((session) => revokeResult(session, parts)));
  }
  return results;
}

function revokeResult(session: SessionRecord, { hub }: SessionHandlerParts) {
  const effective = session.state === 'ended';
  const outcome = effective
    ? RevokeOutcome.EFFECTIVE
    : isInReach(session, hub)
      ? RevokeOutcome.ACCEPTED
      : RevokeOutcome.PENDING;
  return {
    session: sessionToProto(session, hub.isLinked),
    outcome,
    acceptedTime: dateFromMs(session.ending_at_ms),
    effectiveTime: dateFromMs(session.ended_at_ms),
    // What a resource holds ends by nobody but us.
    diesByTime:
      session.grant === undefined
        ? dateFromMs(diesBy(session, hub.lostSince(session.device_id, session.device_last_seen_at_ms)))
        : undefined,
  };
}

/** Whether the place that has to confirm an end answers: the device, or the resource. */
const isInReach = ({ grant, device_id }: SessionRecord, hub: LinkHub): boolean =>
  grant === undefined ? hub.isLinked(device_id) : grant.unconfirmedSinceMs === null;

/** Waits until each session is over or its device or resource is out of reach, at most `waitMs`. */
async function untilSettled(parts: SessionHandlerParts, ids: readonly string[], waitMs: number): Promise<void> {
  const { sessions, hub } = parts;
  /** The devices, by session, that are still waited for; null for a resource that is on none. */
  const open = new Map<string, string | null>();
  const settled = new AbortController();
  const stop = parts.clock.after(durationMs(waitMs), () => {
    settled.abort();
  });
  const dropUnreachable = async (looked: readonly string[]): Promise<void> => {
    const atResources = looked.filter((id) => open.get(id) === null);
    for (const session of atResources.length > 0 ? await sessions.byIds(atResources) : [])
      if (!isInReach(session, hub)) open.delete(session.id);
    for (const [id, device] of open) if (device !== null && !hub.isLinked(device)) open.delete(id);
    if (open.size === 0) settled.abort();
  };
  const lookAtAll = async (): Promise<void> => {
    open.clear();
    for (const { id, device_id: device } of await sessions.openAmong(ids)) open.set(id, device);
    await dropUnreachable([...open.keys()]);
  };
  await watchChanges(parts.ledger, ['session', 'device'], settled.signal, {
    atOnce: LOOKED_AT_ONCE,
    first: lookAtAll,
    missed: lookAtAll,
    changed: async (changed) => {
      const looked = changed.filter((id) => open.has(id));
      for (const id of looked.length > 0 ? await sessions.endedAmong(looked) : []) open.delete(id);
      await dropUnreachable(looked);
    },
  });
  stop();
}

function selectionFromProto(request: RevokeSessionsRequest): RevokeSelection {
  const { selection } = request;
  switch (selection?.$case) {
    case 'sessions':
      return { ids: selection.value.ids };
    case 'user':
      return { user: selection.value };
    case 'device':
      return { device: selection.value };
    case 'resource':
      return { resource: selection.value };
    case 'everything':
      if (selection.value) return 'everything';
      throw new CurfewError('SELECTION_EMPTY');
    case undefined:
      throw new CurfewError('SELECTION_EMPTY');
  }
}

function filterFromProto(filter: ProtoFilter | undefined): SessionFilter {
  const kind =
    filter === undefined || filter.kind === SessionKind.UNSPECIFIED ? '' : SessionKind[filter.kind].toLowerCase();
  return {
    kind,
    states: (filter?.states ?? []).map(sessionStateFromProto),
    user: filter?.user ?? '',
    device: filter?.device ?? '',
    resource: filter?.resource ?? '',
    text: filter?.text ?? '',
    platform:
      filter === undefined || filter.platform === Platform.UNSPECIFIED ? '' : `PLATFORM_${Platform[filter.platform]}`,
    endingWithinMs: filter?.endingWithin === undefined ? undefined : msFromDuration(filter.endingWithin),
    createdAfterMs: filter?.createdAfterTime?.getTime(),
  };
}

/** The part of a filter that a change can be judged by without asking the ledger again. */
function fitsNames(filter: SessionFilter, session: SessionRecord): boolean {
  const [text, texts] = [
    filter.text.toLowerCase(),
    [session.user_name, session.device_name, session.resource_name, session.account.name, session.reason],
  ];
  return (
    (filter.kind === '' || filter.kind === session.kind) &&
    (filter.user === '' || [session.user_id, session.user_name].includes(filter.user)) &&
    (filter.platform === '' || filter.platform === session.device_platform) &&
    (filter.resource === '' || [session.resource_id, session.resource_name].includes(filter.resource)) &&
    (filter.device === '' || [session.device_id, session.device_name].includes(filter.device)) &&
    texts.some((one) => one.toLowerCase().includes(text))
  );
}

function required(field: string, duration: Parameters<typeof msFromDuration>[0] | undefined): number {
  if (duration === undefined) throw new CurfewError('FIELD_INVALID', { field, problem: 'is required' });
  return msFromDuration(duration);
}
