import { roleRefusal, type Role } from '../../api/method-roles.js';
import type { RequestView } from '../../model/request.js';

/** Who looks at a request. */
export interface Onlooker {
  readonly id: string;
  readonly role: Role;
}

/** Why the person cannot decide the request, in a sentence; undefined when they can. The server has the last word. */
export function decideRefusal(who: Onlooker, request: RequestView): string | undefined {
  if (request.state !== 'pending') return 'It is decided already.';
  if (request.canDecide) return undefined;
  const role = roleRefusal(who.role, 'RequestService/ApproveAccessRequest');
  if (role !== undefined) return role;
  if (request.userId === who.id) return 'It is your own. Somebody else has to decide.';
  if (request.decisions.some(({ decidedBy }) => decidedBy !== '') && request.waitsFor === '')
    return 'You have decided already.';
  return request.waitsFor === '' ? 'It does not wait for you.' : `It waits for ${request.waitsFor}.`;
}

/** Why the person cannot take an approval back that was not started; undefined when they may try. The server has the last word. */
export const takeBackRefusal = (who: Onlooker): string | undefined =>
  roleRefusal(who.role, 'RequestService/DenyAccessRequest');

/** Why the person cannot review the request's break-glass session; undefined when they can. */
export function reviewRefusal(who: Onlooker, request: RequestView): string | undefined {
  if (request.review?.state !== 'waiting') return 'There is nothing to review.';
  const role = roleRefusal(who.role, 'RequestService/ReviewAccessRequest');
  if (role !== undefined) return role;
  return request.userId === who.id ? 'It is your own. Somebody else has to review it.' : undefined;
}
