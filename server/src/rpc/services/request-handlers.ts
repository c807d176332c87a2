import {
  ApproveAccessRequestResponse,
  DenyAccessRequestResponse,
  GetAccessRequestResponse,
  ListAccessRequestsResponse,
  ReviewAccessRequestResponse,
  WatchAccessRequestsResponse,
  type AccessRequestFilter,
  type ApproveAccessRequestRequest,
  type DenyAccessRequestRequest,
  type GetAccessRequestRequest,
  type ListAccessRequestsRequest,
  type ReviewAccessRequestRequest,
  type WatchAccessRequestsRequest,
} from '@curfew/proto';
import type { Ledger } from '../../ledger/ledger.js';
import type { Decider } from '../../policies/approval-steps.js';
import { canDecide } from '../../requests/decide-request.js';
import type { RequestRecord } from '../../requests/request-record.js';
import type { RequestListInput, Requests } from '../../requests/requests.js';
import type { Caller } from '../../users/caller.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { msFromDuration } from '../proto-values.js';
import { requestStateFromProto, requestToProto } from '../records-to-proto.js';
import type { AnswerStream } from '../service-host.js';
import { watchChanges } from '../watch-changes.js';

export function requestHandlers({ requests, ledger }: { readonly requests: Requests; readonly ledger: Ledger }) {
  const seenBy = async (caller: Caller, request: RequestRecord) =>
    requestToProto(request, await requests.decider(caller));
  return {
    listAccessRequests: async (request: ListAccessRequestsRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const page = await requests.list({ ...filterFromProto(request.filter, caller), ...request });
      const decider = await requests.decider(caller);
      return ListAccessRequestsResponse.fromPartial({
        requests: page.requests.map((found) => requestToProto(found, decider)),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    getAccessRequest: async (request: GetAccessRequestRequest, identity: Identity) =>
      GetAccessRequestResponse.fromPartial({
        request: await seenBy(callerOf(identity), await requests.get(request.requestId)),
      }),
    watchAccessRequests: (
      request: WatchAccessRequestsRequest,
      identity: Identity,
      stream: AnswerStream<WatchAccessRequestsResponse>,
    ) => {
      const caller = callerOf(identity);
      const filter = filterFromProto(request.filter, caller);
      const sent = new Set<string>();
      const send = async (found: RequestRecord, decider: Decider): Promise<void> => {
        sent.add(found.id);
        await stream.send(WatchAccessRequestsResponse.fromPartial({ request: requestToProto(found, decider) }));
      };
      return watchChanges(ledger, ['request'], stream.signal, {
        first: async () => {
          const decider = await requests.decider(caller);
          for (let token: string | undefined = ''; token !== undefined;) {
            const page = await requests.list({ ...filter, orderBy: 'create_time', pageSize: 1000, pageToken: token });
            for (const found of page.requests) await send(found, decider);
            token = page.nextPageToken === '' ? undefined : page.nextPageToken;
          }
          await stream.send(WatchAccessRequestsResponse.fromPartial({ synced: true }));
        },
        changed: async (ids) => {
          const decider = await requests.decider(caller);
          const named = (given: string, names: readonly string[]): boolean => given === '' || names.includes(given);
          for (const id of ids) {
            const found = await requests.get(id);
            const fits =
              named(filter.user, [found.user_id, found.user_name]) &&
              named(filter.device, [found.device_id, found.device_name]) &&
              named(filter.resource, [found.resource_id, found.resource_name]);
            const special =
              (filter.canDecide === undefined || canDecide(found, decider)) &&
              (!filter.reviewWaiting || found.review_state === 'waiting');
            if (fits && (special || sent.has(id))) await send(found, decider);
          }
        },
      });
    },
    approveAccessRequest: async (request: ApproveAccessRequestRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const duration = request.duration === undefined ? {} : { durationMs: msFromDuration(request.duration) };
      const approved = await requests.approve(caller, request.requestId, {
        reason: request.reason,
        ...duration,
      });
      return ApproveAccessRequestResponse.fromPartial({ request: await seenBy(caller, approved) });
    },
    reviewAccessRequest: async (request: ReviewAccessRequestRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const reviewed = await requests.review(caller, request.requestId, request);
      return ReviewAccessRequestResponse.fromPartial({ request: await seenBy(caller, reviewed) });
    },
    denyAccessRequest: async (request: DenyAccessRequestRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const denied = await requests.deny(caller, request.requestId, request.reason);
      return DenyAccessRequestResponse.fromPartial({ request: await seenBy(caller, denied) });
    },
  };
}

function filterFromProto(
  filter: AccessRequestFilter | undefined,
  caller: Caller,
): Omit<RequestListInput, 'orderBy' | 'pageSize' | 'pageToken'> {
  const states = filter?.states ?? [];
  return {
    states: states.map(requestStateFromProto),
    user: filter?.user ?? '',
    device: filter?.device ?? '',
    resource: filter?.resource ?? '',
    text: filter?.text ?? '',
    canDecide: filter?.canDecide === true ? caller : undefined,
    reviewWaiting: filter?.reviewWaiting ?? false,
  };
}
