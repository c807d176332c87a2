import {
  AccessRequest,
  AccessRequestState,
  EndReason,
  LocalSession,
  LocalStatus,
  ResourceOffer,
  ResourceStanding,
  Session,
  SessionState,
} from '@curfew/proto';
import { hasUnsafeText, instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { offersTable } from './offer-text.js';
import { requestLines } from './request-text.js';
import { resourceSessionLines } from './session-text.js';
import { statusText } from './status-text.js';

const NOW = instantMs(Date.UTC(2026, 0, 1, 12));
const HOSTILE = 'a\u001b[2J\n\u202ex';
const minutes = (count: number): Date => new Date(NOW + count * 60_000);
const members = <T extends number>(type: object): T[] =>
  Object.values(type).filter((value): value is T => typeof value === 'number' && value !== 0);
type SessionParts = Parameters<typeof Session.fromPartial>[0];
const session = (more: SessionParts): Session =>
  Session.fromPartial({ id: 'ses-0123456789', resourceName: 'ops', expireTime: minutes(24), ...more });

describe('the text of a resource', () => {
  it('says how long it is still there, as whom, and how to give it back', () => {
    const lines = resourceSessionLines(session({ state: SessionState.ACTIVE, resourceSubject: 'alice' }), NOW);
    assert.match(lines[0] ?? '', /^session ses-01234567: ops, active as alice, 24m left, until \d\d:24:00$/);
    assert.match(lines[1] ?? '', /curfew resources end ops$/);
  });

  it('says since when the resource has not confirmed, what it said, and when it is asked again', () => {
    const late = { unconfirmedSinceTime: minutes(-3), nextAttemptTime: minutes(1), attemptError: 'no answer' };
    for (const state of [SessionState.STARTING, SessionState.ENDING])
      assert.match(
        resourceSessionLines(session({ state, endReason: EndReason.EXPIRED, ...late }), NOW)[0] ?? '',
        /; the resource has not confirmed for 3m, next try in 1m: no answer$/,
      );
  });

  it('has words for every end, none of them of a device', () => {
    const texts = members<EndReason>(EndReason).map((endReason) =>
      resourceSessionLines(session({ state: SessionState.ENDED, endedTime: minutes(-1), endReason }), NOW).join(),
    );
    assert.equal(new Set(texts).size, texts.length);
    for (const text of texts) assert.doesNotMatch(text, /for no reason|this device/);
  });

  it('says what comes next in every state of a request, in the words for resources', () => {
    for (const state of members<AccessRequestState>(AccessRequestState)) {
      const request = { id: 'req-1', state, resourceName: 'ops', decidedBy: 'olga', duration: { seconds: 600n } };
      const text = requestLines(AccessRequest.fromPartial(request), NOW).join('\n');
      assert.match(text, /^request req-1: ops, /, text);
      assert.doesNotMatch(text, /curfew request/, text);
      const isOver = [3, 4, 5, 7].includes(state);
      assert.equal(text.includes("curfew resources request ops --for 10m --reason '…'"), isOver, text);
      assert.match(text, /curfew /);
    }
  });
});

describe('the table of offers', () => {
  const offer = (more: Parameters<typeof ResourceOffer.fromPartial>[0]): string => {
    const answer = { allowed: true, maxDuration: { seconds: 7_200n }, defaultDuration: { seconds: 1_800n } };
    const one = ResourceOffer.fromPartial({ resourceName: 'ops', ...more, answer: { ...answer, ...more.answer } });
    return offersTable([one], NOW, { colour: false }).split('\n')[1] ?? '';
  };

  for (const { name, more, row } of [
    {
      name: 'what may be asked for, who decides and what it is',
      more: { description: 'restart production', answer: { steps: [{ groups: ['on-call'] }] } },
      row: /^ops +- +30m +2h +somebody of the group on-call +--reason +restart production$/,
    },
    { name: 'that a ticket is wanted', more: { answer: { ticketRequired: true } }, row: /--reason --ticket/ },
    { name: 'that nobody decides', more: { answer: { autoApproved: true } }, row: /nobody: approved by itself/ },
    {
      name: 'that it can be asked for in the console only',
      more: { answer: { freshSignInRequired: true } },
      row: /ask in the console: it wants a fresh sign-in/,
    },
    {
      name: 'why it cannot be asked for now',
      more: {
        answer: { allowed: false, reason: 'too many today', maxDuration: undefined, defaultDuration: undefined },
      },
      row: /^ops +- +- +- +not now: too many today/,
    },
    {
      name: 'how long what they have is still there',
      more: { session: { state: SessionState.ACTIVE, expireTime: minutes(24) } },
      row: /active, 24m left/,
    },
    {
      name: 'what was asked for, and for whom it waits',
      more: {
        request: { state: AccessRequestState.PENDING, waitsFor: 'group security', decideByTime: minutes(5) },
      },
      row: /asked, 5m left to decide .*waits for group security/,
    },
    { name: 'that it is on its way', more: { session: { state: SessionState.STARTING } }, row: /^ops +starting / },
    { name: 'that its end is not confirmed', more: { session: { state: SessionState.ENDING } }, row: /^ops +ending / },
  ])
    it(`tells ${name}`, () => assert.match(offer(more), row));
});

describe('a status with resources', () => {
  const status = (resources: Parameters<typeof ResourceStanding.fromPartial>[0] | undefined, more = {}): LocalStatus =>
    LocalStatus.fromPartial({
      account: { name: 'alice' },
      deviceName: 'web-1',
      serverLinked: true,
      resources: resources === undefined ? undefined : { asOfTime: minutes(0), ...resources },
      ...more,
    });
  const shown = (...given: Parameters<typeof status>): string =>
    statusText(status(...given), { now: instantMs(NOW + 86_400_000), ageMs: 60_000 });

  it('counts by the clock of the server and the age of the status, whatever the clock of this device says', () => {
    assert.match(shown({ sessions: [session({ state: SessionState.ACTIVE })] }), /ops, active, 23m left/);
  });

  it('shows a group of this device once, as what the device itself holds', () => {
    const own = LocalSession.fromPartial({ id: 'ses-1', state: SessionState.ACTIVE });
    const resources = { sessions: [session({ id: 'ses-1', state: SessionState.ACTIVE })] };
    assert.equal(shown(resources, { sessions: [own] }).match(/session ses-1/g)?.length, 1);
  });

  it('tells of an open request, of a refused one if it is the newest, and of the three newest ends', () => {
    const request = (state: AccessRequestState, id: string) =>
      AccessRequest.fromPartial({ id, state, resourceName: 'ops', duration: { seconds: 60n } });
    const ended = (id: string) => session({ id, state: SessionState.ENDED, endReason: EndReason.EXPIRED });
    const denied = request(AccessRequestState.DENIED, 'req-denied');
    const pending = request(AccessRequestState.PENDING, 'req-pending');
    assert.match(shown({ requests: [denied] }), /req-denied: ops, denied/);
    const text = shown({ requests: [pending, denied], sessions: ['ses-1', 'ses-2', 'ses-3', 'ses-4'].map(ended) });
    assert.match(text, /req-pending: ops, for 1m, waiting/);
    assert.doesNotMatch(text, /req-denied|ses-4/);
    assert.match(text, /ses-3: ops, ended/);
  });

  it('says that only the server knows while it is out of reach, and nothing when there is nothing', () => {
    assert.match(shown(undefined, { serverLinked: false }), /what you have of resources is known to the server only/);
    for (const text of [shown(undefined), shown({})]) assert.doesNotMatch(text, /resource/);
  });

  it('makes every text of others safe', () => {
    const [requests, sessions] = [
      members<AccessRequestState>(AccessRequestState).map((state) => ({
        id: HOSTILE,
        state,
        resourceName: HOSTILE,
        reason: HOSTILE,
        decidedBy: HOSTILE,
        decisionReason: HOSTILE,
        waitsFor: HOSTILE,
      })),
      members<SessionState>(SessionState).map((state) => ({
        id: HOSTILE,
        state,
        resourceName: HOSTILE,
        resourceSubject: HOSTILE,
        attemptError: HOSTILE,
        unconfirmedSinceTime: minutes(-1),
        endReason: EndReason.REVOKED,
        endedBy: HOSTILE,
        endDetail: HOSTILE,
      })),
    ];
    const offers = [
      { resourceName: HOSTILE, description: HOSTILE, answer: { allowed: false, reason: HOSTILE } },
      { answer: { allowed: true, steps: [{ users: [HOSTILE], groups: [HOSTILE] }] } },
    ].map((one) => ResourceOffer.fromPartial(one));
    const texts = [shown({ requests, sessions }), offersTable(offers, NOW, { colour: false })];
    for (const line of texts.flatMap((text) => text.split('\n'))) assert.ok(!hasUnsafeText(line), line);
    const requestText = requests.flatMap((one) => requestLines(AccessRequest.fromPartial(one), NOW));
    for (const line of requestText) assert.ok(!hasUnsafeText(line), line);
  });
});
