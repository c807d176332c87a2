import assert from 'node:assert/strict';
import { EndReason, RevokeOutcome, RevokeResult, Session, SessionState } from '@curfew/proto';
import { hasUnsafeText, instantMs } from '@curfew/shared';
import {
  optionsText,
  revokeSummary,
  revokeTable,
  sessionFields,
  sessionStateText,
  sessionTable,
} from './session-table.js';

const NOW = instantMs(new Date(2026, 0, 1, 12).getTime());
const at = (minutes: number): Date => new Date(NOW + minutes * 60_000);
const HOSTILE = 'a\u001b[2J\n\u202ex';
const look = { colour: false };
const OPS = { resourceId: 'res-1', resourceName: 'ops', deviceName: '' };
const session = (change: Parameters<typeof Session.fromPartial>[0]): Session =>
  Session.fromPartial({ id: 'ses-0123456789abcdefghjk', userName: 'alice', deviceName: 'web-1', ...change });

describe('session tables', () => {
  for (const { name, change, text } of [
    { name: 'active', change: { state: SessionState.ACTIVE, deviceOnline: true }, text: 'active' },
    { name: 'starting', change: { state: SessionState.STARTING, deviceOnline: true }, text: 'starting' },
    {
      name: 'active on a device out of reach',
      change: { state: SessionState.ACTIVE, deviceOfflineSinceTime: at(-5) },
      text: 'active · device offline since 11:55:00',
    },
    {
      name: 'ending on a device out of reach',
      change: { state: SessionState.ENDING, deviceOfflineSinceTime: at(-5) },
      text: 'ending · waiting for device, offline since 11:55:00',
    },
    { name: 'active in a resource', change: { state: SessionState.ACTIVE, ...OPS }, text: 'active' },
    {
      name: 'ending in a resource that does not answer',
      change: {
        state: SessionState.ENDING,
        ...OPS,
        unconfirmedSinceTime: at(-5),
        nextAttemptTime: at(1),
        attemptError: 'the directory is down',
      },
      text: 'ending · not confirmed by the resource since 11:55:00, next try 12:01:00, the directory is down',
    },
    {
      name: 'ended',
      change: { state: SessionState.ENDED, endReason: EndReason.ENDED_BY_USER },
      text: 'ended · ended_by_user',
    },
  ])
    it(`calls a session that is ${name} '${text}'`, () => assert.equal(sessionStateText(session(change), NOW), text));

  it('says that the prompts of a desktop are answered, and of none where they are not', () => {
    const fields = (desktop: boolean): string => sessionFields(session({ desktop }), undefined, NOW, look);
    assert.match(fields(true), /^desktop: +its prompts are answered as well$/m);
    assert.doesNotMatch(fields(false), /desktop/);
  });

  it('counts down to the end, and stops at zero', () => {
    const row = (minutes: number): string =>
      sessionTable([session({ state: SessionState.ACTIVE, deviceOnline: true, expireTime: at(minutes) })], NOW, look);
    assert.match(row(24.5), / 24m30s /);
    assert.match(row(-1), / 0s /);
  });

  it('sums up a revoke in one sentence, with the last time at which a right out of reach dies', () => {
    const result = (outcome: RevokeOutcome, diesByTime?: Date): RevokeResult =>
      RevokeResult.fromPartial({ outcome, diesByTime });
    const results = [
      result(RevokeOutcome.EFFECTIVE),
      result(RevokeOutcome.PENDING, at(10)),
      result(RevokeOutcome.PENDING, at(30)),
      result(RevokeOutcome.ACCEPTED),
    ];
    assert.equal(
      revokeSummary(results, NOW),
      'revoke of 4 sessions: 1 effective, 1 accepted (waiting for the device to confirm), ' +
        '2 pending (device out of reach; gone by itself no later than 12:30:00 (in 30m))',
    );
    assert.equal(revokeSummary([result(RevokeOutcome.EFFECTIVE)], NOW), 'revoke of 1 session: 1 effective');
    const outside = (outcome: RevokeOutcome): RevokeResult => RevokeResult.fromPartial({ outcome, session: OPS });
    assert.equal(
      revokeSummary([outside(RevokeOutcome.PENDING), outside(RevokeOutcome.ACCEPTED)], NOW),
      'revoke of 2 sessions: 1 accepted (waiting for the resource to confirm), ' +
        '1 pending (the resource does not answer; tried again until it has confirmed)',
    );
  });

  it('makes every text of others safe', () => {
    const hostile = session({
      id: HOSTILE,
      userName: HOSTILE,
      deviceName: HOSTILE,
      account: { name: HOSTILE },
      reason: HOSTILE,
      grantedBy: HOSTILE,
      endDetail: HOSTILE,
      endedBy: HOSTILE,
      requestId: HOSTILE,
      options: { commands: [{ argv: ['/bin/x', HOSTILE] }], runAs: HOSTILE },
    });
    const result = RevokeResult.fromPartial({ session: hostile, outcome: RevokeOutcome.PENDING, diesByTime: at(1) });
    const texts = [
      sessionTable([hostile], NOW, look),
      sessionFields(hostile, undefined, NOW, look),
      revokeTable([result], NOW, look),
    ];
    for (const line of texts.join('').split('\n')) assert.ok(!hasUnsafeText(line), line);
  });

  it('says what a right allows', () => {
    const options = Session.fromPartial({
      options: { passwordRequired: true, runAs: 'www-data', commands: [{ argv: ['/bin/echo', 'a b'] }] },
    }).options;
    assert.equal(optionsText(options), "sudo as www-data with password, only: /bin/echo 'a b'");
  });
});
