import { type AccessRequest, AccessRequestState, type Decision, ReviewState } from '@curfew/proto';
import {
  formatDuration,
  leftText,
  renderFields,
  renderTable,
  shortIds,
  sinceText,
  timeAndDistance,
  type CellStyle,
  type InstantMs,
  type Look,
} from '@curfew/shared/cli';
import { durationFromProto, enumText } from './proto-values.js';
import { optionsText, placeColumns } from './session-table.js';

/** Where a request stands, and until when. */
export function requestStateText(request: AccessRequest, now: InstantMs): string {
  const state = enumText(AccessRequestState, request.state);
  if (request.state === AccessRequestState.PENDING) return `${state}, ${leftText(request.decideByTime, now)} left`;
  if (request.state === AccessRequestState.APPROVED) return `${state}, ${leftText(request.startByTime, now)} to start`;
  return state;
}

const style = ({ state }: AccessRequest): CellStyle =>
  state === AccessRequestState.PENDING ? 'yellow' : state === AccessRequestState.APPROVED ? 'green' : 'dim';

/** The requests as a table. */
export function requestTable(requests: readonly AccessRequest[], now: InstantMs, look: Look): string {
  const short = shortIds(requests.map(({ id }) => id));
  return renderTable<AccessRequest>(
    [
      { title: 'ID', value: ({ id }) => short(id) },
      { title: 'USER', value: ({ userName }) => userName },
      ...placeColumns(requests),
      { title: 'ACCOUNT', value: ({ account }) => account?.name ?? '' },
      { title: 'FOR', value: ({ duration }) => formatDuration(durationFromProto(duration)) },
      { title: 'STATE', value: (request) => requestStateText(request, now), style },
      { title: 'ASKED', value: ({ createTime }) => `${sinceText(createTime, now)} ago` },
      { title: 'REASON', value: ({ reason }) => reason, flexible: true },
    ],
    requests,
    look,
  );
}

/** One request, field by field. */
export function requestFields(request: AccessRequest, now: InstantMs, look: Look): string {
  const { account } = request;
  return renderFields(
    [
      ['id', request.id],
      ['state', requestStateText(request, now)],
      ['user', request.userName],
      ['resource', request.resourceName],
      ['device', request.deviceName],
      [
        'account',
        account === undefined ? '' : `${account.name}${account.uid === undefined ? '' : ` (uid ${account.uid})`}`,
      ],
      ['asks for', optionsText(request.options)],
      ['for', formatDuration(durationFromProto(request.duration))],
      ['reason', request.reason],
      ['ticket', request.ticket],
      ['policy', request.policyName === '' ? '' : `${request.policyName}, version ${request.policyVersion}`],
      ['break-glass', request.breakGlass ? 'yes' : ''],
      ['asked', timeAndDistance(request.createTime, now)],
      ['decide by', request.state === AccessRequestState.PENDING ? timeAndDistance(request.decideByTime, now) : ''],
      ['waits for', waitsText(request)],
      ...request.decisions.map((decision, at): [string, string] => [
        at === 0 ? 'decisions' : '',
        decisionText(decision, request.stepCount, now),
      ]),
      ['decided', timeAndDistance(request.decideTime, now)],
      ['decided by', request.decidedBy],
      ['decision', request.decisionReason],
      ['start by', request.state === AccessRequestState.APPROVED ? timeAndDistance(request.startByTime, now) : ''],
      ['to start', request.freshSignInRequired ? 'needs a fresh sign-in to the console' : ''],
      ['session', request.sessionId],
      ['review', reviewText(request, now)],
    ],
    look,
  );
}

function waitsText({ state, step, stepCount, waitsFor, canDecide }: AccessRequest): string {
  if (state !== AccessRequestState.PENDING) return '';
  return `${waitsFor}${stepCount > 1 ? ` (step ${step} of ${stepCount})` : ''}${canDecide ? ': you may decide' : ''}`;
}

function decisionText(decision: Decision, stepCount: number, now: InstantMs): string {
  const step = stepCount > 1 ? `step ${decision.step}: ` : '';
  const said = decision.reason === '' ? '' : `: ${decision.reason}`;
  const what = decision.approved ? 'approved' : 'denied';
  return `${step}${what} by ${decision.decidedBy}, ${timeAndDistance(decision.createTime, now)}${said}`;
}

function reviewText({ review }: AccessRequest, now: InstantMs): string {
  if (review === undefined) return '';
  const state = enumText(ReviewState, review.state);
  if (review.reviewedBy === '') return state;
  return `${state} by ${review.reviewedBy}, ${timeAndDistance(review.reviewTime, now)}: ${review.comment}`;
}
