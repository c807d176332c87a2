import { decidersText, sessionCan, type InstantMs } from '@curfew/shared/browser';
import type { AccessTargetJson, PolicyAnswerJson } from '../../gen/api.js';
import { platformFromProto, type Platform } from '../../model/platform.js';
import { durationFromProto } from '../../model/proto-json.js';
import type { RequestView } from '../../model/request.js';
import type { SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';

/** One of the person's own things. */
export type MyThing =
  | { readonly kind: 'request'; readonly request: RequestView }
  | { readonly kind: 'session'; readonly session: SessionView };

/** Something that the person could ask for. */
export interface Target {
  /** Tells targets apart. */
  readonly key: string;
  readonly kind: 'device' | 'resource';
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly accountName: string;
  readonly isOnline: boolean;
  readonly platform: Platform | undefined;
  readonly answer: PolicyAnswerJson;
  /** Why it cannot be asked for, in a sentence; undefined when it can. */
  readonly refusal: string | undefined;
}

const sentence = (text: string): string =>
  text === '' ? '' : `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Reads a target of the API. */
export function targetFromProto(json: AccessTargetJson): Target {
  const answer = json.answer ?? {};
  const isDevice = (json.deviceId ?? '') !== '';
  const ineligible = json.account?.ineligibleReason ?? '';
  const refusal =
    ineligible !== ''
      ? `This account cannot be elevated: ${ineligible}.`
      : answer.allowed === true
        ? undefined
        : sentence(answer.reason ?? '') || 'The policies do not allow it.';
  return {
    key: `${json.deviceId ?? ''}/${json.resourceId ?? ''}/${json.account?.name ?? ''}`,
    kind: isDevice ? 'device' : 'resource',
    id: (isDevice ? json.deviceId : json.resourceId) ?? '',
    name: (isDevice ? json.deviceName : json.resourceName) ?? '',
    description: json.resourceDescription ?? '',
    accountName: json.account?.name ?? '',
    isOnline: json.deviceOnline ?? false,
    platform: platformFromProto(json.platform),
    answer,
    refusal,
  };
}

/** What will happen once the person has asked for that long. */
export function whatWillHappen(
  { answer, kind }: Pick<Target, 'answer' | 'kind'>,
  durationMs: number | undefined,
  breakGlass: boolean,
): string {
  if (breakGlass)
    return 'The session starts at once, before anybody has decided. An approver reviews it afterwards, and everybody who is told of requests is told of this one.';
  const deciders = decidersText(answer.steps ?? []);
  if (answer.autoApproved !== true)
    return kind === 'device'
      ? `Then it is decided by ${deciders}. You start the session once it is approved.`
      : `Then it is decided by ${deciders}. Your access begins once it is approved.`;
  const usual = durationFromProto(answer.defaultDuration);
  return durationMs === undefined || usual === undefined || durationMs <= usual
    ? kind === 'device'
      ? 'It is approved by itself. You can start the session at once.'
      : 'It is approved by itself. Your access begins at once.'
    : `Up to ${durationText(usual)} it is approved by itself; for longer it may have to be decided by ${deciders}.`;
}

/** What is the person's now: what can be started, what waits, and what runs. */
export interface MyPicture {
  readonly live: readonly SessionView[];
  readonly toStart: readonly RequestView[];
  readonly waiting: readonly RequestView[];
  readonly past: readonly PastThing[];
}

/** Something that is over, or that a session tells the rest of. */
export type PastThing = MyThing & { readonly at: InstantMs | undefined };

/** Sorts what is the person's, for one of the two tabs. A session stands for the request that it came from. */
export function myPicture(things: Iterable<MyThing>, kind: 'device' | 'resource'): MyPicture {
  const isDevice = kind === 'device';
  const sessions: SessionView[] = [];
  const requests: RequestView[] = [];
  for (const thing of things)
    if (thing.kind === 'session') {
      if ((thing.session.kind === 'device_admin') === isDevice) sessions.push(thing.session);
    } else if ((thing.request.deviceName !== '') === isDevice) requests.push(thing.request);
  const told = new Set(sessions.map(({ requestId }) => requestId));
  const isOver = ({ state }: RequestView): boolean => state !== 'pending' && state !== 'approved';
  const past: PastThing[] = [
    ...sessions
      .filter(({ state }) => state === 'ended')
      .map((session) => ({ kind: 'session' as const, session, at: session.createTime })),
    ...requests
      .filter((request) => isOver(request) && !told.has(request.id))
      .map((request) => ({ kind: 'request' as const, request, at: request.createTime })),
  ];
  return {
    live: sessions.filter(({ state }) => state !== 'ended').sort((a, b) => (a.expireTime ?? 0) - (b.expireTime ?? 0)),
    toStart: requests
      .filter(({ state }) => state === 'approved')
      .sort((a, b) => (a.startByTime ?? 0) - (b.startByTime ?? 0)),
    waiting: requests
      .filter(({ state }) => state === 'pending')
      .sort((a, b) => (b.createTime ?? 0) - (a.createTime ?? 0)),
    past: past.sort((a, b) => (b.at ?? 0) - (a.at ?? 0)),
  };
}

/** Why nothing more can be asked for now, in a sentence: one is open. Undefined when none is. */
export function openRefusal(target: Target, { toStart, waiting, live }: MyPicture): string | undefined {
  const isSame = (one: Pick<SessionView, 'deviceId' | 'resourceName' | 'accountName'>): boolean =>
    target.kind === 'device'
      ? one.deviceId === target.id && (one.accountName === target.accountName || one.accountName === '')
      : one.resourceName === target.name;
  if (waiting.some(isSame)) return 'You have asked already; it waits for a decision.';
  if (toStart.some(isSame)) return 'You have an approved request; start it above.';
  const open = live.filter((session) => isSame(session) && session.state !== 'ending');
  if (open.length === 0) return undefined;
  return open.some(({ state }) => state === 'active') ? 'You have the right now.' : 'Your session is starting.';
}

/** Whether the person can end the session. */
export const canEnd = ({ state }: SessionView): boolean => sessionCan.revoke(state);
