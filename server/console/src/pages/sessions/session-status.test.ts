import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { sessionFromProto } from '../../model/session.js';
import type { SessionJson } from '../../gen/api.js';
import { sessionStatus } from './session-status.js';

const NOW = instantMs(new Date(2026, 10, 29, 12, 0).getTime());
const SINCE = new Date(2026, 10, 29, 11, 3).toISOString();

describe('what a session is said to be', () => {
  const device = { kind: 'SESSION_KIND_DEVICE_ADMIN', deviceOnline: true } as const;
  const offline = { ...device, deviceOnline: false, deviceOfflineSinceTime: SINCE } as const;
  const timed = { kind: 'SESSION_KIND_TIMED_ACCESS' } as const;
  const next = new Date(2026, 10, 29, 12, 4).toISOString();
  const cases: readonly { name: string; session: SessionJson; text: string; detail: string }[] = [
    { name: 'starting', session: { ...device, state: 'SESSION_STATE_STARTING' }, text: 'starting', detail: '' },
    { name: 'active', session: { ...device, state: 'SESSION_STATE_ACTIVE' }, text: 'active', detail: '' },
    {
      name: 'active on a device out of reach',
      session: { ...offline, state: 'SESSION_STATE_ACTIVE' },
      text: 'active',
      detail: 'device offline since 11:03',
    },
    {
      name: 'revoked, not confirmed',
      session: { ...device, state: 'SESSION_STATE_ENDING', endReason: 'END_REASON_REVOKED' },
      text: 'revoking',
      detail: '',
    },
    {
      name: 'revoked on a device out of reach',
      session: { ...offline, state: 'SESSION_STATE_ENDING', endReason: 'END_REASON_REVOKED' },
      text: 'revoking',
      detail: 'waiting for device, offline since 11:03',
    },
    {
      name: 'over, not confirmed',
      session: { ...device, state: 'SESSION_STATE_ENDING', endReason: 'END_REASON_EXPIRED' },
      text: 'ending',
      detail: '',
    },
    {
      name: 'revoked and confirmed',
      session: { ...device, state: 'SESSION_STATE_ENDED', endReason: 'END_REASON_REVOKED' },
      text: 'revoked · confirmed',
      detail: '',
    },
    {
      name: 'access that the resource has given',
      session: { ...timed, state: 'SESSION_STATE_ACTIVE' },
      text: 'active',
      detail: '',
    },
    {
      name: 'access that the resource has not given yet',
      session: { ...timed, state: 'SESSION_STATE_STARTING', unconfirmedSinceTime: SINCE },
      text: 'starting',
      detail: 'the resource has not confirmed since 11:03',
    },
    {
      name: 'access that is over, with a resource that does not answer',
      session: {
        ...timed,
        state: 'SESSION_STATE_ENDING',
        endReason: 'END_REASON_EXPIRED',
        unconfirmedSinceTime: SINCE,
        nextAttemptTime: next,
      },
      text: 'ending',
      detail: 'the resource has not confirmed since 11:03, next try 12:04',
    },
    {
      name: 'access that was revoked, with a resource that is asked again at this moment',
      session: {
        ...timed,
        state: 'SESSION_STATE_ENDING',
        endReason: 'END_REASON_REVOKED',
        unconfirmedSinceTime: SINCE,
        nextAttemptTime: SINCE,
      },
      text: 'revoking',
      detail: 'the resource has not confirmed since 11:03, tried again now',
    },
  ];
  for (const { name, session, text, detail } of cases)
    it(`${name}: '${[text, detail].filter((part) => part !== '').join(' · ')}'`, () => {
      const status = sessionStatus(sessionFromProto(session), NOW);
      assert.equal(status.text, text);
      assert.equal(status.detail, detail);
    });

  it("is never 'confirmed' before the device has said so", () => {
    for (const { session } of cases.filter(({ session: { state } }) => state !== 'SESSION_STATE_ENDED'))
      assert.doesNotMatch(sessionStatus(sessionFromProto(session), NOW).text, /confirmed/);
  });
});
