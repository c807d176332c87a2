import assert from 'node:assert/strict';
import { AccessRequest, AccessRequestState, EndReason, LocalSession, LocalStatus, SessionState } from '@curfew/proto';
import { hasUnsafeText, instantMs } from '@curfew/shared';
import { requestLines } from './request-text.js';
import { remainingText, sessionLines } from './session-text.js';
import { statusText } from './status-text.js';

const NOW = instantMs(Date.UTC(2026, 0, 1, 12));
const HOSTILE = 'a\u001b[2J\n\u202ex';
const reading = { now: NOW, ageMs: 0 };
const members = <T extends number>(type: object): T[] =>
  Object.values(type).filter((value): value is T => typeof value === 'number' && value !== 0);

describe('status text', () => {
  it('counts down by the age of the status, not by the wall clock', () => {
    const session = LocalSession.fromPartial({ remaining: { seconds: 60n } });
    assert.equal(remainingText(session, reading), '1m');
    assert.equal(remainingText(session, { now: instantMs(NOW + 3_600_000), ageMs: 1_500 }), '59s');
    assert.equal(remainingText(session, { now: NOW, ageMs: 90_000 }), '0s');
  });

  it('says what comes next in every state of a request', () => {
    for (const state of members<AccessRequestState>(AccessRequestState)) {
      const lines = requestLines(AccessRequest.fromPartial({ id: 'req-1', state, duration: { seconds: 600n } }), NOW);
      const final = state === AccessRequestState.STARTED;
      assert.equal(
        lines.some((line) => line.includes('curfew ')),
        !final,
        AccessRequestState[state],
      );
    }
  });

  it('says whom a request waits for, and where one is started that needs a fresh sign-in', () => {
    const [open] = requestLines(
      AccessRequest.fromPartial({
        state: AccessRequestState.PENDING,
        waitsFor: 'group security, 1 of 2 given',
        step: 2,
        stepCount: 3,
      }),
      NOW,
    );
    assert.match(open ?? '', /waiting for group security, 1 of 2 given \(step 2 of 3\) since/);
    const approved = AccessRequest.fromPartial({ state: AccessRequestState.APPROVED, freshSignInRequired: true });
    assert.match(requestLines(approved, NOW)[1] ?? '', /in Curfew's console, after a fresh sign-in/);
  });

  it('says who has taken an approval back, apart from the person who withdraws', () => {
    const [approvedAt, later] = [new Date(NOW - 60_000), new Date(NOW)];
    const cancelled = {
      state: AccessRequestState.CANCELLED,
      decisions: [{ approved: true, decidedBy: 'bob', createTime: approvedAt }],
    };
    const taken = { ...cancelled, decidedBy: 'olga', decisionReason: 'not now', decideTime: later };
    const firstLine = (request: Parameters<typeof AccessRequest.fromPartial>[0]) =>
      requestLines(AccessRequest.fromPartial(request), NOW)[0] ?? '';
    assert.match(firstLine(taken), /taken back by olga: not now$/);
    assert.match(firstLine({ ...cancelled, decidedBy: 'bob', decideTime: approvedAt }), /withdrawn$/);
  });

  it('has words for every end reason', () => {
    const texts = members<EndReason>(EndReason).map((endReason) =>
      sessionLines(LocalSession.fromPartial({ id: 'ses-1', state: SessionState.ENDED, endReason }), reading).join(),
    );
    assert.equal(new Set(texts).size, texts.length);
    for (const text of texts) assert.ok(!text.includes('for no reason'), text);
  });

  it('makes every text of others safe', () => {
    const commands = [{ argv: ['/bin/x', HOSTILE] }];
    const status = LocalStatus.fromPartial({
      account: { name: HOSTILE },
      deviceName: HOSTILE,
      requests: members<AccessRequestState>(AccessRequestState).map((state) => ({
        id: HOSTILE,
        state,
        reason: HOSTILE,
        decidedBy: HOSTILE,
        decisionReason: HOSTILE,
        waitsFor: HOSTILE,
        stepCount: 2,
      })),
      sessions: members<SessionState>(SessionState).map((state) => ({
        id: HOSTILE,
        state,
        endReason: EndReason.REVOKED,
        endedBy: HOSTILE,
        endDetail: HOSTILE,
        options: { commands },
      })),
    });
    for (const line of statusText(status, reading).split('\n')) assert.ok(!hasUnsafeText(line), line);
  });
});
