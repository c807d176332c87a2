import {
  ApproveAccessRequestResponse,
  DenyAccessRequestResponse,
  GetAccessRequestResponse,
  ListAccessRequestsResponse,
  WatchAccessRequestsResponse,
  type AccessRequestFilter,
  type ApproveAccessRequestRequest,
  type DenyAccessRequestRequest,
  type GetAccessRequestRequest,
  type ListAccessRequestsRequest,
  type WatchAccessRequestsRequest,
} from '@curfew/proto';
import type { Ledger } from '../../ledger/ledger.js';
import type { RequestListInput, Requests } from '../../requests/requests.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';
import { msFromDuration } from '../proto-values.js';
import { requestStateFromProto, requestToProto } from '../records-to-proto.js';
import type { AnswerStream } from '../service-host.js';
import { watchChanges } from '../watch-changes.js';

export function requestHandlers({ requests, ledger }: { readonly requests: Requests; readonly ledger: Ledger }) {
  return {
    listAccessRequests: async (request: ListAccessRequestsRequest) => {
      const page = await requests.list({ ...filterFromProto(request.filter), ...request });
      return ListAccessRequestsResponse.fromPartial({
        requests: page.requests.map(requestToProto),
        nextPageToken: page.nextPageToken,
        totalSize: page.total,
      });
    },
    getAccessRequest: async (request: GetAccessRequestRequest) =>
      GetAccessRequestResponse.fromPartial({ request: requestToProto(await requests.get(request.requestId)) }),
    watchAccessRequests: (
      request: WatchAccessRequestsRequest,
      _: Identity,
      stream: AnswerStream<WatchAccessRequestsResponse>,
    ) => {
      const filter = filterFromProto(request.filter);
      const send = async (found: Awaited<ReturnType<Requests['get']>>): Promise<void> =>
        stream.send(WatchAccessRequestsResponse.fromPartial({ request: requestToProto(found) }));
      return watchChanges(ledger, ['request'], stream.signal, {
        first: async () => {
          for (let token: string | undefined = ''; token !== undefined;) {
            const page = await requests.list({ ...filter, orderBy: 'create_time', pageSize: 1000, pageToken: token });
            for (const found of page.requests) await send(found);
            token = page.nextPageToken === '' ? undefined : page.nextPageToken;
          }
          await stream.send(WatchAccessRequestsResponse.fromPartial({ synced: true }));
        },
        changed: async (ids) => {
          for (const id of ids) {
            const found = await requests.get(id);
            const named = (given: string, names: readonly string[]): boolean => given === '' || names.includes(given);
            if (
              named(filter.user, [found.user_id, found.user_name]) &&
              named(filter.device, [found.device_id, found.device_name])
            )
              await send(found);
          }
        },
      });
    },
    approveAccessRequest: async (request: ApproveAccessRequestRequest, identity: Identity) => {
      const duration = request.duration === undefined ? {} : { durationMs: msFromDuration(request.duration) };
      const approved = await requests.approve(callerOf(identity), request.requestId, {
        reason: request.reason,
        ...duration,
      });
      return ApproveAccessRequestResponse.fromPartial({ request: requestToProto(approved) });
    },
    denyAccessRequest: async (request: DenyAccessRequestRequest, identity: Identity) => {
      const denied = await requests.deny(callerOf(identity), request.requestId, request.reason);
      return DenyAccessRequestResponse.fromPartial({ request: requestToProto(denied) });
    },
  };
}

function filterFromProto(
  filter: AccessRequestFilter | undefined,
): Pick<RequestListInput, 'states' | 'user' | 'device' | 'text'> {
  const states = filter?.states ?? [];
  return {
    states: states.map(requestStateFromProto),
    user: filter?.user ?? '',
    device: filter?.device ?? '',
    text: filter?.text ?? '',
  };
}
