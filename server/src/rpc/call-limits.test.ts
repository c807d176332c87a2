import { CurfewError, durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { Identity } from './authenticate.js';
import { addressOf, CallLimits } from './call-limits.js';

const user = (tokenId: string): Identity => ({
  kind: 'user',
  caller: { userId: 'usr', userName: 'olga', tokenId, role: 'owner' },
});
const device = (id: string): Identity => ({ kind: 'device', device: { id } as never });
const LIST = '/curfew.admin.v1.SessionService/ListSessions';
const REVOKE = '/curfew.admin.v1.SessionService/RevokeSessions';

describe('call limits', () => {
  const clock = new ManualClock();
  let limits: CallLimits;

  beforeEach(() => {
    limits = new CallLimits(clock, {
      tokenCallsPerSecond: 2,
      deviceMessagesPerSecond: 1,
      unknownCallsPerMinute: 3,
      callsAtOnce: 3,
      watchesPerToken: 2,
    });
  });

  const outcomes = (times: number, call: () => void): string[] =>
    Array.from({ length: times }, () => {
      try {
        call();
        return '';
      } catch (error) {
        assert.ok(error instanceof CurfewError);
        return error.code;
      }
    });
  const served = (times: number, call: () => void): number =>
    outcomes(times, call).filter((code) => code === '').length;

  it('bound the calls of one token, and leave those of others alone', () => {
    assert.equal(
      served(20, () => limits.known(user('a'), LIST)),
      10,
    );
    assert.equal(
      served(20, () => limits.known(user('b'), LIST)),
      10,
    );
    assert.deepEqual(
      outcomes(1, () => limits.known(user('a'), LIST)),
      ['TOO_MANY_CALLS'],
    );
    clock.advance(durationMs(1_000));
    assert.equal(
      served(20, () => limits.known(user('a'), LIST)),
      2,
    );
  });

  it('never keep a revoke waiting, whatever else the same token has done', () => {
    served(50, () => limits.known(user('a'), LIST));
    assert.equal(
      served(100, () => limits.known(user('a'), REVOKE)),
      100,
    );
  });

  it('bound a device: calls are refused, messages wait their turn', () => {
    assert.equal(
      served(20, () => limits.known(device('d'), '/curfew.agent.v1.LinkService/StartSession')),
      5,
    );
    assert.equal(limits.messageWait('d'), 1_000);
    assert.equal(limits.messageWait('e'), 0);
  });

  it('slow down who guesses, by address, and tell them so instead of whether they were right', () => {
    const guess = (peer: string): string => {
      const error = limits.failed(peer, new CurfewError('NOT_SIGNED_IN'));
      assert.ok(error instanceof CurfewError);
      return error.code;
    };
    const peer = '192.0.2.1:1000';
    assert.deepEqual([guess(peer), guess(peer), guess(peer)], Array(3).fill('NOT_SIGNED_IN'));
    assert.equal(guess('192.0.2.1:2000'), 'TOO_MANY_CALLS');
    assert.equal(guess('192.0.2.2:1000'), 'NOT_SIGNED_IN');
    assert.deepEqual(
      outcomes(1, () => limits.anybody(peer)),
      ['TOO_MANY_CALLS'],
    );
    assert.deepEqual(
      outcomes(1, () => limits.anybody('192.0.2.2:1')),
      [''],
    );
    clock.advance(durationMs(20_000));
    assert.equal(guess(peer), 'NOT_SIGNED_IN');
    const other = new CurfewError('SESSION_NOT_FOUND', { given: 'x' });
    assert.equal(limits.failed(peer, other), other, 'what is no guess stays what it is');
  });

  it('bound the streams of one token until one is closed', () => {
    const close = limits.watch(user('a'));
    limits.watch(user('a'));
    assert.deepEqual(
      outcomes(1, () => void limits.watch(user('a'))),
      ['TOO_MANY_CALLS'],
    );
    limits.watch(user('b'));
    limits.watch(device('d'));
    limits.watch(device('d'));
    assert.deepEqual(
      outcomes(1, () => void limits.watch(device('d'))),
      ['TOO_MANY_CALLS'],
    );
    close();
    limits.watch(user('a'));
  });

  it('send away whoever comes while as much is at work as may be, and tell when to come again', () => {
    const [first] = [limits.begin(LIST), limits.begin(LIST), limits.begin(LIST)];
    assert.throws(() => limits.begin(LIST), {
      code: 'SERVER_BUSY',
      status: 'RESOURCE_EXHAUSTED',
      fields: { wait: '1s', retryAfterSeconds: 1 },
    });
    assert.equal(limits.callsAtWork, 3, 'who was sent away is not counted');
    first();
    assert.deepEqual(
      outcomes(2, () => void limits.begin(LIST)),
      ['', 'SERVER_BUSY'],
    );
  });

  it('have room for every revoke, which keeps nobody else out', () => {
    for (let at = 0; at < 100; at++) limits.begin(REVOKE);
    assert.equal(limits.callsAtWork, 0);
    for (let at = 0; at < 3; at++) limits.begin(LIST);
    assert.equal(
      served(100, () => void limits.begin(REVOKE)),
      100,
    );
    assert.deepEqual(
      outcomes(1, () => void limits.begin(LIST)),
      ['SERVER_BUSY'],
    );
  });

  for (const [peer, address] of [
    ['192.0.2.1:443', '192.0.2.1'],
    ['::ffff:192.0.2.1:443', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6:443', '2001:db8:1:2'],
    ['2001:db8::1:443', '2001:db8:0:0'],
    ['::1:443', '0:0:0:0'],
    ['unknown', 'unknown'],
  ] as const)
    it(`count ${peer} as ${address}`, () => assert.equal(addressOf(peer), address));
});
