import { type AccessRequest, AccessRequestState } from '@curfew/proto';
import { formatDuration, leftText, safeText, sinceText, type InstantMs } from '@curfew/shared/cli';
import { msOf, next, shortId } from './text-parts.js';

/** Who is waited for. Servers of before policies do not say. */
const deciders = ({ waitsFor, step, stepCount }: AccessRequest): string => {
  const who = waitsFor === '' || waitsFor === 'any approver' ? 'an approver' : safeText(waitsFor);
  return stepCount > 1 ? `${who} (step ${step} of ${stepCount})` : who;
};

/** Whether the last word on it came after the last decision: then it is not the person who withdrew it. */
const isTakenBack = ({ decisions, decideTime }: AccessRequest): boolean =>
  decisions.length > 0 && decisions.at(-1)?.createTime?.getTime() !== decideTime?.getTime();

/** A request, why it stands so, and what can be done with it. */
export function requestLines(request: AccessRequest, now: InstantMs): string[] {
  const id = shortId(request.id);
  const length = formatDuration(msOf(request.duration));
  const resource = safeText(request.resourceName);
  const isResource = resource !== '';
  const named = isResource ? `${resource}, ` : '';
  const by = request.decidedBy === '' ? '' : ` by ${safeText(request.decidedBy)}`;
  const said = request.decisionReason === '' ? '' : `: ${safeText(request.decisionReason)}`;
  const within = `   (within ${leftText(request.startByTime, now)})`;
  const command = isResource ? `curfew resources request ${resource}` : 'curfew request';
  const again = next('ask again', `${command} --for ${length} --reason '…'`);
  const cancel = next('withdraw it', `curfew cancel ${id}`);
  switch (request.state) {
    case AccessRequestState.PENDING:
      return [
        `request ${id}: ${named}for ${length}, waiting for ${deciders(request)} since ${sinceText(request.createTime, now)}; ` +
          `times out in ${leftText(request.decideByTime, now)}`,
        `  reason: ${safeText(request.reason)}`,
        next('follow it', 'curfew watch'),
        cancel,
      ];
    case AccessRequestState.APPROVED:
      return [
        `request ${id}: ${named}approved${by} for ${length}${said}`,
        request.freshSignInRequired
          ? next('start it', "in Curfew's console, after a fresh sign-in") + within
          : next('start it', `curfew start ${id}`) + within,
        cancel,
      ];
    case AccessRequestState.DENIED:
      return [`request ${id}: ${named}denied${by}${said}`, again];
    case AccessRequestState.CANCELLED:
      return [`request ${id}: ${named}${isTakenBack(request) ? `taken back${by}${said}` : 'withdrawn'}`, again];
    case AccessRequestState.TIMED_OUT:
      return [`request ${id}: ${named}nobody decided in time`, again];
    case AccessRequestState.LAPSED:
      return [`request ${id}: ${named}approved${by}, but not started in time`, again];
    case AccessRequestState.STARTED:
      return isResource
        ? [
            `request ${id}: ${named}approved${by} for ${length}${said}; it begins by itself`,
            next('follow it', 'curfew watch'),
          ]
        : [`request ${id}: started`];
    case AccessRequestState.UNSPECIFIED:
      return [];
  }
}
