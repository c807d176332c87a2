import { REQUEST_STATES, type RequestState } from '@curfew/shared/browser';
import { definedOnly, wordParam } from '../../app/page-search.js';
import type { ListAccessRequestsRequestJson } from '../../gen/api.js';
import { requestStateToProto } from '../../model/request.js';

/** By what the history can be sorted, as the API spells it. */
export const REQUEST_COLUMNS = ['create_time', 'user_name', 'device_name', 'state'] as const;

export const REQUEST_PAGE_SIZE = 50;

/** Which requests the history shows. */
export interface RequestQuery {
  readonly text: string;
  readonly user: string;
  readonly device: string;
  readonly resource: string;
  readonly states: readonly RequestState[];
  readonly orderBy: string;
}

/** Reads an address. What makes no sense there is left out. */
export function requestQuery(address: Readonly<Record<string, string | undefined>>): RequestQuery {
  const [column, direction] = (address['sort'] ?? '').split(' ');
  const sort = wordParam(REQUEST_COLUMNS, column);
  return {
    text: address['q'] ?? '',
    user: address['user'] ?? '',
    device: address['device'] ?? '',
    resource: address['resource'] ?? '',
    states: (address['state'] ?? '').split(',').flatMap((word) => wordParam(REQUEST_STATES, word) ?? []),
    orderBy: sort === undefined ? 'create_time desc' : `${sort}${direction === 'desc' ? ' desc' : ''}`,
  };
}

/** A page of the history as the API takes it. Without a state every state is asked for: the API's default is pending. */
export function historyRequest(query: RequestQuery, pageToken: string): ListAccessRequestsRequestJson {
  const { text, user, device, resource, states, orderBy } = query;
  return {
    filter: {
      states: (states.length === 0 ? REQUEST_STATES : states).map(requestStateToProto),
      ...definedOnly({
        text: text || undefined,
        user: user || undefined,
        device: device || undefined,
        resource: resource || undefined,
      }),
    },
    orderBy,
    pageSize: REQUEST_PAGE_SIZE,
    ...(pageToken === '' ? {} : { pageToken }),
  };
}

/** Whether anything narrows the history down. */
export const narrowsRequests = ({ text, user, device, resource, states }: RequestQuery): boolean =>
  text !== '' || user !== '' || device !== '' || resource !== '' || states.length > 0;
