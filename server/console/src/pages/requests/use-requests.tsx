import type { AccessRequestFilterJson } from '../../gen/api.js';
import type { LivePicture } from '../../live/live-collection.js';
import { useLive } from '../../live/use-live.js';
import { requestFromProto, type RequestView } from '../../model/request.js';

const PENDING = {
  itemOf: (message: { request?: Parameters<typeof requestFromProto>[0] }) =>
    message.request === undefined ? undefined : requestFromProto(message.request),
  idOf: (request: RequestView) => request.id,
  keeps: (request: RequestView) => request.state === 'pending',
};

const REVIEWS = { ...PENDING, keeps: (request: RequestView) => request.review?.state === 'waiting' };
const EVERY = { ...PENDING, keeps: () => true };

/** Every request that waits for a decision, as it changes. */
export const usePendingRequests = (): LivePicture<RequestView> =>
  useLive('RequestService/WatchAccessRequests', {}, PENDING);

/** Every request whose break-glass session waits for its review, as it changes. */
export const useWaitingReviews = (): LivePicture<RequestView> =>
  useLive('RequestService/WatchAccessRequests', { filter: { reviewWaiting: true } }, REVIEWS);

/** The requests that fit, as they change; nothing without a filter. One that no longer fits is kept as it was last told. */
export const useRequestChanges = (filter: AccessRequestFilterJson | undefined): LivePicture<RequestView> =>
  useLive('RequestService/WatchAccessRequests', filter === undefined ? undefined : { filter }, EVERY);

/** Oldest first: who has waited longest is next. */
export const byAge = (a: RequestView, b: RequestView): number => (a.createTime ?? 0) - (b.createTime ?? 0);
