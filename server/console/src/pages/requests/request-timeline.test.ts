import assert from 'node:assert/strict';
import type { AccessRequestJson } from '../../gen/api.js';
import { requestFromProto } from '../../model/request.js';
import { sessionFromProto } from '../../model/session.js';
import { requestTimeline } from './request-timeline.js';

const asked: AccessRequestJson = {
  id: 'req-1',
  state: 'ACCESS_REQUEST_STATE_PENDING',
  userName: 'alice',
  reason: 'deploy',
  duration: '1800s',
  createTime: '2026-01-01T10:00:00Z',
  stepCount: 2,
  step: 2,
  waitsFor: 'group security, 1 of 1',
  decisions: [{ step: 1, approved: true, decidedBy: 'bob', reason: 'fine', createTime: '2026-01-01T10:01:00Z' }],
};

const looks = (request: Parameters<typeof requestFromProto>[0], session?: Parameters<typeof sessionFromProto>[0]) =>
  requestTimeline(requestFromProto(request), session === undefined ? undefined : sessionFromProto(session)).map(
    ({ title, look }) => `${look}: ${title}`,
  );

describe('the time line of a request', () => {
  it('shows each decision with its step, and whom it waits for', () => {
    assert.deepEqual(looks(asked), [
      'done: Asked for 30 min',
      'done: Approved, step 1 of 2',
      'current: Step 2 of 2 waits for group security, 1 of 1',
    ]);
  });

  it('says only what the device has confirmed', () => {
    const started: AccessRequestJson = { ...asked, decisions: [], state: 'ACCESS_REQUEST_STATE_STARTED' };
    const ending = { state: 'SESSION_STATE_ENDING', endReason: 'END_REASON_REVOKED', endedBy: 'bob' } as const;
    assert.equal(looks(started, ending).at(-1), 'current: The device has not confirmed the end yet');
    assert.equal(
      looks(started, { ...ending, state: 'SESSION_STATE_ENDED', endedTime: '2026-01-01T11:00:00Z' }).at(-1),
      'done: The device has confirmed the end',
    );
  });

  it('ends with the review of a break-glass session', () => {
    const glass: AccessRequestJson = {
      ...asked,
      decisions: [],
      state: 'ACCESS_REQUEST_STATE_STARTED',
      breakGlass: true,
    };
    assert.equal(
      looks({ ...glass, review: { state: 'REVIEW_STATE_WAITING' } }).at(-1),
      'current: Waits for a review by an approver',
    );
    assert.equal(looks({ ...glass, review: { state: 'REVIEW_STATE_REJECTED' } }).at(-1), 'bad: Reviewed: it was wrong');
  });

  it('tells who has taken an approval back, apart from the person who withdraws', () => {
    const [decision] = asked.decisions ?? [];
    const cancelled = { ...asked, state: 'ACCESS_REQUEST_STATE_CANCELLED', decidedBy: 'bob' } as const;
    const taken = { ...cancelled, decideTime: '2026-01-01T10:02:00Z', decidedBy: 'olga', decisionReason: 'not now' };
    const last = requestTimeline(requestFromProto(taken), undefined).at(-1);
    assert.deepEqual([last?.title, last?.who, last?.text], ['Approval taken back', 'olga', 'not now']);
    const decideTime = decision?.createTime ?? '';
    assert.equal(looks({ ...cancelled, decideTime }).at(-1), 'bad: Withdrawn');
  });

  for (const [state, last] of [
    ['DENIED', 'bad: Denied'],
    ['CANCELLED', 'bad: Withdrawn'],
    ['TIMED_OUT', 'bad: Nobody decided in time'],
    ['LAPSED', 'bad: Not started in time'],
    ['APPROVED', 'current: Can be started by the person'],
  ] as const)
    it(`tells how a request that is ${state.toLowerCase()} came to its end`, () => {
      const request: AccessRequestJson = { ...asked, decisions: [], state: `ACCESS_REQUEST_STATE_${state}` };
      const decided = state === 'DENIED' ? { decideTime: '2026-01-01T10:05:00Z', decidedBy: 'bob' } : {};
      assert.equal(looks({ ...request, ...decided }).at(-1), last);
    });
});
