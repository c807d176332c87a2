import {
  bootMs,
  durationMs,
  instantMs,
  ManualClock,
  MINUTE,
  SECOND,
  silentLogger,
  type EndReason,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import type { AgentState, EndedRecord, GrantRecord } from '../ports/state-file.js';
import { SessionNotices } from './session-notices.js';

const ID = `ses-${'0'.repeat(20)}`;
const ACCOUNT = { name: 'alice', uid: 1001, sid: '', fingerprint: 'b'.repeat(64) };

/** A holder that holds what it is told, and a messenger that keeps what it is given. */
function setUp() {
  const clock = new ManualClock();
  const told: string[] = [];
  const recentEnds = new Map<string, EndedRecord>();
  let grants: GrantRecord[] = [];
  let changed = (): void => undefined;
  const notices = new SessionNotices({
    holder: {
      get snapshot() {
        return { grants, ended: [] as EndedRecord[] } as unknown as AgentState;
      },
      recentEnds,
      onChange: (listener) => {
        changed = listener;
        return () => true;
      },
    },
    messenger: { tell: async ({ uid }, text) => void told.push(`${uid}: ${text}`) },
    clock,
    logger: silentLogger,
  });
  const hold = (forMs: number, phase: GrantRecord['phase'] = 'held'): void => {
    const options = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
    const ends = { deadline: bootMs(clock.bootTime() + forMs), wallEnd: instantMs(clock.now() + forMs) };
    const right = { sessionId: ID, account: ACCOUNT, options, ...ends, keepProcesses: false, undoChanges: false };
    grants = [{ ...right, epoch: 1, phase, madeAtMs: 0 }];
    changed();
  };
  const end = (reason: EndReason, detail = ''): void => {
    recentEnds.set(ID, {
      sessionId: ID,
      epoch: 1,
      uid: 1001,
      sid: '',
      reason,
      code: '',
      detail,
      endedAtMs: clock.now(),
    });
    grants = [];
    changed();
  };
  const since = (): string[] => told.splice(0);
  return { clock, notices, hold, end, since };
}

describe('what people are told on the device', () => {
  it('is the start, five minutes and one before the end, and the end', () => {
    const { clock, notices, hold, end, since } = setUp();
    notices.start();
    hold(30 * MINUTE, 'intended');
    assert.deepEqual(since(), [], 'a right that is not there yet');
    hold(30 * MINUTE);
    assert.deepEqual(since(), ['1001: You have admin rights for 30m. To give them back: curfew end']);
    clock.advance(durationMs(25 * MINUTE - SECOND));
    assert.deepEqual(since(), []);
    clock.advance(SECOND);
    assert.deepEqual(since(), ['1001: Your admin rights end in 5m. What runs under them is ended then.']);
    clock.advance(durationMs(4 * MINUTE));
    assert.deepEqual(since(), ['1001: Your admin rights end in 1m. What runs under them is ended then.']);
    clock.advance(MINUTE);
    end('expired');
    assert.deepEqual(since(), ['1001: Your admin rights have ended: their time is over.']);
    clock.advance(durationMs(10 * MINUTE));
    assert.deepEqual(since(), []);
  });

  it('holds no reminder that a short right has no room for', () => {
    const { clock, notices, hold, since } = setUp();
    notices.start();
    hold(40 * SECOND);
    since();
    clock.advance(durationMs(39 * SECOND));
    assert.deepEqual(since(), []);
  });

  it('is another end when the time is extended, with its reminders anew', () => {
    const { clock, notices, hold, since } = setUp();
    notices.start();
    hold(2 * MINUTE);
    clock.advance(durationMs(90 * SECOND));
    since();
    hold(10 * MINUTE, 'intended');
    hold(10 * MINUTE);
    assert.deepEqual(since(), ['1001: Your admin rights now last for 10m more.']);
    clock.advance(durationMs(5 * MINUTE));
    assert.deepEqual(since(), ['1001: Your admin rights end in 5m. What runs under them is ended then.']);
  });

  it('is who revoked, in text that a terminal cannot be told things with', () => {
    const { notices, hold, end, since } = setUp();
    notices.start();
    hold(30 * MINUTE);
    since();
    end('revoked', 'by owner: \u001b]0;x\u0007enough');
    assert.deepEqual(since(), [
      '1001: Your admin rights have ended: they were revoked (by owner: \\u{1b}]0;x\\u{7}enough).',
    ]);
  });

  it('is nothing of what was there before the agent started, but its end', () => {
    const { notices, hold, end, since } = setUp();
    hold(30 * MINUTE);
    notices.start();
    assert.deepEqual(since(), []);
    end('ended_by_user');
    assert.deepEqual(since(), ['1001: Your admin rights have ended: you gave them back.']);
  });

  it('takes a sleep for the time that it took', () => {
    const { clock, notices, hold, since } = setUp();
    notices.start();
    hold(30 * MINUTE);
    since();
    clock.suspend(durationMs(29 * MINUTE + 30 * SECOND));
    notices.look();
    assert.deepEqual(since(), ['1001: Your admin rights end in 30s. What runs under them is ended then.']);
  });
});
