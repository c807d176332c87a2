import type { InstantMs } from '@curfew/shared/browser';
import type { RequestView } from '../../model/request.js';
import type { SessionView } from '../../model/session.js';
import { durationText } from '../../model/time-text.js';
import { END_WORDS } from '../sessions/session-status.js';

/** One thing that happened to a request, or is to happen. */
export interface TimelineStep {
  readonly id: string;
  readonly title: string;
  /** By whom. Hostile text. */
  readonly who: string;
  /** What was said with it. Hostile text. */
  readonly text: string;
  readonly at: InstantMs | undefined;
  readonly look: 'done' | 'current' | 'bad' | 'waiting';
}

const step = (
  id: string,
  look: TimelineStep['look'],
  title: string,
  more: Partial<TimelineStep> = {},
): TimelineStep => ({
  id,
  look,
  title,
  who: '',
  text: '',
  at: undefined,
  ...more,
});

/** The life of a request in order: asked, decided step by step, started, ended, reviewed. */
export function requestTimeline(request: RequestView, session: SessionView | undefined): TimelineStep[] {
  return [
    step('asked', 'done', `Asked for ${durationText(request.duration)}`, {
      who: request.userName,
      text: request.reason,
      at: request.createTime,
    }),
    ...(request.breakGlass ? [step('glass', 'bad', 'Started as break-glass, before anybody had decided')] : []),
    ...decisions(request),
    ...outcome(request),
    ...life(request, session),
    ...review(request),
  ];
}

function decisions(request: RequestView): TimelineStep[] {
  const many = request.stepCount > 1;
  const steps = request.decisions.map((decision, index) =>
    step(
      `decision-${index}`,
      decision.approved ? 'done' : 'bad',
      `${decision.approved ? 'Approved' : 'Denied'}${many ? `, step ${decision.step} of ${request.stepCount}` : ''}`,
      { who: decision.decidedBy, text: decision.reason, at: decision.createTime },
    ),
  );
  // Older requests know only the last word.
  if (steps.length === 0 && request.decideTime !== undefined)
    steps.push(
      step(
        'decision',
        request.state === 'denied' ? 'bad' : 'done',
        request.state === 'denied' ? 'Denied' : 'Approved',
        {
          who: request.decidedBy,
          text: request.decisionReason,
          at: request.decideTime,
        },
      ),
    );
  return steps;
}

function outcome(request: RequestView): TimelineStep[] {
  switch (request.state) {
    case 'pending': {
      const where = request.stepCount > 1 ? `Step ${request.step} of ${request.stepCount} waits` : 'Waits';
      return [step('waits', 'current', `${where} for ${request.waitsFor === '' ? 'a decision' : request.waitsFor}`)];
    }
    case 'approved':
      return [step('start-by', 'current', 'Can be started by the person', { at: request.startByTime })];
    case 'cancelled':
      return [
        isTakenBack(request) ? takenBack(request) : step('cancelled', 'bad', 'Withdrawn', { who: request.userName }),
      ];
    case 'timed_out':
      return [step('timed-out', 'bad', 'Nobody decided in time', { at: request.decideByTime })];
    case 'lapsed':
      return [step('lapsed', 'bad', 'Not started in time', { at: request.startByTime })];
    case 'denied':
    case 'started':
      return [];
  }
}

/** Whether the last word on it came after the last decision: then it is not the person who withdrew it. */
const isTakenBack = ({ decideTime, decisions: all }: RequestView): boolean =>
  decideTime !== undefined && all.length > 0 && all.at(-1)?.createTime !== decideTime;

const takenBack = ({ decidedBy, decisionReason, decideTime }: RequestView): TimelineStep =>
  step('cancelled', 'bad', 'Approval taken back', { who: decidedBy, text: decisionReason, at: decideTime });

function life(request: RequestView, session: SessionView | undefined): TimelineStep[] {
  if (request.state !== 'started') return [];
  if (session === undefined) return [step('started', 'done', 'Started')];
  const holder = session.kind === 'device_admin' ? 'The device' : 'The resource';
  const started = step('started', 'done', 'Started', { who: session.userName, at: session.createTime });
  if (session.state === 'starting') return [started, step('confirm', 'current', `${holder} has not answered yet`)];
  const active = step(
    'active',
    'done',
    session.kind === 'device_admin' ? 'The device holds the right' : 'The resource has confirmed the access',
    { at: session.activeTime },
  );
  if (session.state === 'active') return [started, active, step('end', 'waiting', 'Ends', { at: session.expireTime })];
  const word = session.endReason === undefined ? 'ended' : END_WORDS[session.endReason];
  const ending = step('ending', 'done', `Ended: ${word}`, {
    who: session.endedBy,
    text: session.endDetail,
    at: session.endingTime,
  });
  const confirmed =
    session.state === 'ended'
      ? step('ended', 'done', `${holder} has confirmed the end`, { at: session.endedTime })
      : step('ended', 'current', `${holder} has not confirmed the end yet`);
  return [started, ...(session.activeTime === undefined ? [] : [active]), ending, confirmed];
}

function review({ review: found }: RequestView): TimelineStep[] {
  if (found === undefined) return [];
  if (found.state === 'waiting') return [step('review', 'current', 'Waits for a review by an approver')];
  const isRight = found.state === 'accepted';
  return [
    step('review', isRight ? 'done' : 'bad', isRight ? 'Reviewed: it was right' : 'Reviewed: it was wrong', {
      who: found.reviewedBy,
      text: found.comment,
      at: found.reviewTime,
    }),
  ];
}
