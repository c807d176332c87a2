import { REQUEST_STATES, type DurationMs, type InstantMs, type RequestState } from '@curfew/shared/browser';
import type { AccessRequestJson, AccessRequestStateJson, GrantOptionsJson } from '../gen/api.js';
import { durationFromProto, timeFromProto, wordFromProto } from './proto-json.js';

/** Where the review of a break-glass session stands. */
const REVIEW_STATES = ['waiting', 'accepted', 'rejected'] as const;
type ReviewState = (typeof REVIEW_STATES)[number];

/** One person's word on a request, or the policy's. */
interface DecisionView {
  readonly step: number;
  readonly approved: boolean;
  readonly decidedBy: string;
  readonly reason: string;
  readonly createTime: InstantMs | undefined;
}

/** A request as the console shows it. Texts of people and devices are hostile: show them with SafeText. */
export interface RequestView {
  readonly id: string;
  readonly state: RequestState;
  readonly userId: string;
  readonly userName: string;
  readonly deviceId: string;
  readonly deviceName: string;
  readonly accountName: string;
  readonly resourceId: string;
  readonly resourceName: string;
  readonly options: GrantOptionsJson | undefined;
  readonly duration: DurationMs;
  readonly reason: string;
  readonly ticket: string;
  readonly createTime: InstantMs | undefined;
  readonly decideByTime: InstantMs | undefined;
  readonly decideTime: InstantMs | undefined;
  readonly decidedBy: string;
  readonly decisionReason: string;
  readonly startByTime: InstantMs | undefined;
  readonly sessionId: string;
  readonly policyName: string;
  readonly policyVersion: string;
  readonly decisions: readonly DecisionView[];
  readonly step: number;
  readonly stepCount: number;
  readonly waitsFor: string;
  readonly breakGlass: boolean;
  readonly review:
    | {
        readonly state: ReviewState;
        readonly reviewedBy: string;
        readonly comment: string;
        readonly reviewTime: InstantMs | undefined;
      }
    | undefined;
  readonly freshSignInRequired: boolean;
  readonly canDecide: boolean;
}

/** Reads a request of the API. What is not set becomes empty text, or undefined for times. */
export function requestFromProto(json: AccessRequestJson): RequestView {
  return {
    id: json.id ?? '',
    state: wordFromProto(REQUEST_STATES, 'ACCESS_REQUEST_STATE_', json.state) ?? 'pending',
    userId: json.userId ?? '',
    userName: json.userName ?? '',
    deviceId: json.deviceId ?? '',
    deviceName: json.deviceName ?? '',
    accountName: json.account?.name ?? '',
    resourceId: json.resourceId ?? '',
    resourceName: json.resourceName ?? '',
    options: json.options,
    duration: durationFromProto(json.duration) ?? (0 as DurationMs),
    reason: json.reason ?? '',
    ticket: json.ticket ?? '',
    createTime: timeFromProto(json.createTime),
    decideByTime: timeFromProto(json.decideByTime),
    decideTime: timeFromProto(json.decideTime),
    decidedBy: json.decidedBy ?? '',
    decisionReason: json.decisionReason ?? '',
    startByTime: timeFromProto(json.startByTime),
    sessionId: json.sessionId ?? '',
    policyName: json.policyName ?? '',
    policyVersion: json.policyVersion ?? '',
    decisions: (json.decisions ?? []).map((decision) => ({
      step: decision.step ?? 1,
      approved: decision.approved ?? false,
      decidedBy: decision.decidedBy ?? '',
      reason: decision.reason ?? '',
      createTime: timeFromProto(decision.createTime),
    })),
    step: json.step ?? 0,
    stepCount: json.stepCount ?? 1,
    waitsFor: json.waitsFor ?? '',
    breakGlass: json.breakGlass ?? false,
    review: reviewFromProto(json.review),
    freshSignInRequired: json.freshSignInRequired ?? false,
    canDecide: json.canDecide ?? false,
  };
}

function reviewFromProto(json: AccessRequestJson['review']): RequestView['review'] {
  const state = wordFromProto(REVIEW_STATES, 'REVIEW_STATE_', json?.state);
  return state === undefined
    ? undefined
    : {
        state,
        reviewedBy: json?.reviewedBy ?? '',
        comment: json?.comment ?? '',
        reviewTime: timeFromProto(json?.reviewTime),
      };
}

/** A request state as the API spells it. */
export const requestStateToProto = (state: RequestState): AccessRequestStateJson =>
  `ACCESS_REQUEST_STATE_${state.toUpperCase() as Uppercase<RequestState>}`;

/** What each state is called. */
export const REQUEST_STATE_NAMES: Readonly<Record<RequestState, string>> = {
  pending: 'Pending',
  approved: 'Approved',
  denied: 'Denied',
  cancelled: 'Cancelled',
  timed_out: 'Timed out',
  started: 'Started',
  lapsed: 'Lapsed',
};

/** What is asked for, by name. */
export const requestTarget = (request: Pick<RequestView, 'deviceName' | 'resourceName'>): string =>
  request.deviceName === '' ? request.resourceName : request.deviceName;
