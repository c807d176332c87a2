import type { Command } from 'commander';
import {
  AccessRequest,
  AccessRequestFilter,
  AccessRequestState,
  ApproveAccessRequestRequest,
  DenyAccessRequestRequest,
  GetAccessRequestRequest,
  ListAccessRequestsRequest,
  RequestServiceService as service,
  ReviewAccessRequestRequest,
  ReviewState,
} from '@curfew/proto';
import {
  everySecond,
  formatDuration,
  LiveScreen,
  lookOf,
  outputOf,
  printList,
  printOne,
  printStreamed,
  protoJson,
  safeText,
  say,
  timeAndDistance,
  timeText,
  type DurationMs,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { interrupted } from './interrupt.js';
import { durationFromProto, durationToProto } from './proto-values.js';
import { requestFields, requestStateText, requestTable } from './request-table.js';
import type { RequestPick } from './requests-flags.js';
import { everyPage, withServer } from './server-connection.js';
import { known } from './sessions-actions.js';
import type { ToolContext } from './tool-context.js';

const EVERY_STATE = Object.values(AccessRequestState).filter(
  (state): state is AccessRequestState => typeof state === 'number' && state !== AccessRequestState.UNSPECIFIED,
);

const requestJson = (request: AccessRequest): unknown => protoJson(AccessRequest.toJSON(request));

function filterOf(pick: RequestPick): AccessRequestFilter {
  const one = pick.state?.toUpperCase() as keyof typeof AccessRequestState | undefined;
  return AccessRequestFilter.fromPartial({
    states: pick.all === true ? EVERY_STATE : one === undefined ? [] : [AccessRequestState[one]],
    user: pick.user ?? '',
    device: pick.device ?? '',
    resource: pick.resource ?? '',
    text: pick.text ?? '',
    canDecide: pick.mine === true,
    reviewWaiting: pick.review === true,
  });
}

/** `requests list`: every page. */
export async function listRequests(context: ToolContext, command: Command, pick: RequestPick): Promise<void> {
  const items = await withServer(context, command, (server) =>
    everyPage(
      (pageToken) =>
        server.unary(
          service.listAccessRequests,
          ListAccessRequestsRequest.fromPartial({
            filter: filterOf(pick),
            orderBy: pick.orderBy ?? '',
            pageSize: 1000,
            pageToken,
          }),
        ),
      ({ requests }) => requests,
    ),
  );
  await printList(context, outputOf(command).format, {
    items,
    json: requestJson,
    table: (requests, look) => requestTable(requests, context.clock.now(), look),
    none: pick.all === true ? 'no requests' : 'no such requests; --all shows those in every state',
  });
}

/** `requests show ID`. */
export async function showRequest(context: ToolContext, command: Command, id: string): Promise<void> {
  const { request } = await withServer(context, command, (server) =>
    server.unary(service.getAccessRequest, GetAccessRequestRequest.fromPartial({ requestId: id })),
  );
  await printRequest(context, command, known(request));
}

/** `requests approve ID`. */
export async function approveRequest(
  context: ToolContext,
  command: Command,
  id: string,
  flags: { readonly reason?: string; readonly for?: DurationMs },
): Promise<void> {
  const answer = await withServer(context, command, (server) =>
    server.unary(
      service.approveAccessRequest,
      ApproveAccessRequestRequest.fromPartial({
        requestId: id,
        reason: flags.reason ?? '',
        ...(flags.for === undefined ? {} : { duration: durationToProto(flags.for) }),
      }),
    ),
  );
  const request = known(answer.request);
  say(context, approvalText(request, context.clock.now()));
  await printRequest(context, command, request);
}

/** What an approval has come to. */
function approvalText(request: AccessRequest, now: InstantMs): string {
  if (request.state === AccessRequestState.PENDING)
    return `your approval is noted; the request still waits for ${safeText(request.waitsFor)}`;
  const approved = `approved for ${formatDuration(durationFromProto(request.duration))}: ${safeText(request.userName)}`;
  if (request.resourceName !== '') return `${approved} gets ${safeText(request.resourceName)} now`;
  return `${approved} can start it on ${safeText(request.deviceName)} until ${timeAndDistance(request.startByTime, now)}`;
}

/** `requests review ID --accept|--reject --reason TEXT`. */
export async function reviewRequest(
  context: ToolContext,
  command: Command,
  id: string,
  accepted: boolean,
  reason: string,
): Promise<void> {
  const { request } = await withServer(context, command, (server) =>
    server.unary(
      service.reviewAccessRequest,
      ReviewAccessRequestRequest.fromPartial({ requestId: id, accepted, reason }),
    ),
  );
  await printRequest(context, command, known(request));
}

/** `requests deny ID --reason TEXT`. */
export async function denyRequest(context: ToolContext, command: Command, id: string, reason: string): Promise<void> {
  const { request } = await withServer(context, command, (server) =>
    server.unary(service.denyAccessRequest, DenyAccessRequestRequest.fromPartial({ requestId: id, reason })),
  );
  const what = known(request).state === AccessRequestState.DENIED ? 'denied' : 'taken back';
  say(context, `${what}; ${safeText(known(request).userName)} sees the reason`);
  await printRequest(context, command, known(request));
}

const printRequest = (context: ToolContext, command: Command, request: AccessRequest): Promise<void> =>
  printOne(context, outputOf(command).format, {
    json: requestJson(request),
    text: (look) => requestFields(request, context.clock.now(), look),
  });

/** `requests watch`, until Ctrl-C. */
export async function watchRequests(context: ToolContext, command: Command, pick: RequestPick): Promise<void> {
  const { format, chosen } = outputOf(command);
  const stop = interrupted();
  await withServer(context, command, async (server) => {
    const changes = server.stream(service.watchAccessRequests, { filter: filterOf(pick) }, stop);
    if (format === 'table' && context.stdout.isTTY === true) return liveTable(context, changes, pick);
    for await (const { request } of changes) {
      if (request === undefined) continue;
      if (format !== 'table') await printStreamed(context, format, requestJson(request));
      else if (chosen) context.stdout.write(changeLine(context, request));
      else await printStreamed(context, 'jsonl', requestJson(request));
    }
  });
}

function changeLine(context: ToolContext, request: AccessRequest): string {
  const now = context.clock.now();
  const what = [
    request.id,
    request.userName,
    request.resourceName || request.deviceName,
    requestStateText(request, now),
    request.reason,
  ];
  return `${timeText(new Date(now), now)}  ${what.map(safeText).join('  ')}\n`;
}

async function liveTable(
  context: ToolContext,
  changes: AsyncIterable<{ request: AccessRequest | undefined; synced: boolean }>,
  pick: RequestPick,
): Promise<void> {
  const screen = new LiveScreen(context);
  const requests = new Map<string, AccessRequest>();
  let synced = false;
  const draw = (look: Look): void => {
    const now = context.clock.now();
    const title = `${timeText(new Date(now), now)}  ${requests.size} requests  (Ctrl-C ends)`;
    if (synced) screen.draw(`${title}\n${requestTable([...requests.values()], now, look)}`);
  };
  const wanted = filterOf(pick).states;
  const states = wanted.length === 0 && pick.review !== true ? [AccessRequestState.PENDING] : wanted;
  const isShown = ({ state, review, canDecide }: AccessRequest): boolean =>
    (states.length === 0 || states.includes(state)) &&
    (pick.review !== true || review?.state === ReviewState.WAITING) &&
    (pick.mine !== true || canDecide);
  const stopTicking = everySecond(context, draw);
  try {
    for await (const { request, synced: whole } of changes) {
      if (request !== undefined && isShown(request)) requests.set(request.id, request);
      else if (request !== undefined) requests.delete(request.id);
      synced ||= whole;
      draw(lookOf(context.stdout, context.env));
    }
  } finally {
    stopTicking();
  }
}
