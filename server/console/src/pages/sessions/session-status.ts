import type { InstantMs, SessionState } from '@curfew/shared/browser';
import { momentText } from '../../model/time-text.js';
import type { SessionView } from '../../model/session.js';

/** What each state is called in lists and filters. */
export const STATE_NAMES: Readonly<Record<SessionState, string>> = {
  starting: 'Starting',
  active: 'Active',
  ending: 'Ending',
  ended: 'Ended',
};

/** How a session stands, in words, and how it is to look. */
export interface SessionStatus {
  readonly text: string;
  /** What is waited for. Empty when nothing is. */
  readonly detail: string;
  readonly look: 'good' | 'busy' | 'waiting' | 'over';
}

/** 'waiting for device, offline since 14:03'; empty while the device is in reach or the resource has confirmed. */
function waitingFor(session: SessionView, now: InstantMs): string {
  if (session.kind === 'timed_access') return unconfirmed(session, now);
  if (session.deviceOnline) return '';
  const since = session.deviceOfflineSince;
  return since === undefined ? 'waiting for device' : `waiting for device, offline since ${momentText(since, now)}`;
}

/** 'the resource has not confirmed since 14:03, next try 14:09'. */
function unconfirmed({ unconfirmedSince, nextAttempt }: SessionView, now: InstantMs): string {
  if (unconfirmedSince === undefined) return '';
  const since = `the resource has not confirmed since ${momentText(unconfirmedSince, now)}`;
  if (nextAttempt === undefined) return since;
  return nextAttempt <= now ? `${since}, tried again now` : `${since}, next try ${momentText(nextAttempt, now)}`;
}

/** Tells what is known and no more: 'confirmed' only when the device or the resource has said so. */
export function sessionStatus(session: SessionView, now: InstantMs): SessionStatus {
  const detail = waitingFor(session, now);
  switch (session.state) {
    case 'starting':
      return { text: 'starting', detail, look: detail === '' ? 'busy' : 'waiting' };
    case 'active':
      return detail === ''
        ? { text: 'active', detail: '', look: 'good' }
        : { text: 'active', detail: detail.replace('waiting for device, ', 'device '), look: 'waiting' };
    case 'ending':
      return {
        text: session.endReason === 'revoked' ? 'revoking' : 'ending',
        detail,
        look: detail === '' ? 'busy' : 'waiting',
      };
    case 'ended':
      return { text: `${endWord(session)} · confirmed`, detail: '', look: 'over' };
  }
}

const endWord = ({ endReason }: SessionView): string => (endReason === undefined ? 'ended' : END_WORDS[endReason]);

/** What each reason of an end is called. */
export const END_WORDS: Readonly<Record<NonNullable<SessionView['endReason']>, string>> = {
  expired: 'expired',
  revoked: 'revoked',
  ended_by_user: 'ended by the person',
  device_removed: 'device removed',
  account_removed: 'account removed',
  refused_by_device: 'refused by the device',
  tampered: 'tampered with',
  failed: 'failed',
};
