import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { SystemClock } from './clock.js';
import { DAY, durationMs, instantMs, MINUTE, SECOND } from './instant.js';
import { ManualClock } from './manual-clock.js';

describe('system clock', () => {
  it('does not fire a timer of 30 days at once', async () => {
    const clock = new SystemClock();
    let fired = false;
    const cancel = clock.after(durationMs(30 * DAY), () => (fired = true));
    await new Promise<void>((resolve) => clock.after(durationMs(20), resolve));
    cancel();
    assert.equal(fired, false);
  });

  it('reads boot time from the uptime file, and says so when it cannot', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'curfew-clock-'));
    try {
      const file = path.join(dir, 'uptime');
      writeFileSync(file, '1234.56 99.00\n');
      const clock = new SystemClock(file);
      assert.equal(clock.bootTime(), 1_234_560);
      writeFileSync(file, 'garbage\n');
      assert.throws(() => clock.bootTime(), /boot time is unreadable/);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('agrees with the kernel', () => {
    const before = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
    const now = new SystemClock().bootTime();
    const after = Number.parseFloat(readFileSync('/proc/uptime', 'latin1')) * 1000;
    assert.ok(before <= now && now <= after);
  });
});

describe('manual clock', () => {
  it('fires timers in the order of their time, and each sees its own moment', () => {
    const clock = new ManualClock(0, 0);
    const seen: [string, number][] = [];
    clock.after(durationMs(2 * SECOND), () => seen.push(['second', clock.now()]));
    clock.after(SECOND, () => {
      seen.push(['first', clock.now()]);
      clock.after(durationMs(500), () => seen.push(['between', clock.now()]));
    });
    clock.advance(MINUTE);
    assert.deepEqual(seen, [
      ['first', 1000],
      ['between', 1500],
      ['second', 2000],
    ]);
    assert.equal(clock.bootTime(), 60_000);
  });

  it('sleeps without firing timers, and can be set back without boot time noticing', () => {
    const clock = new ManualClock(1_000_000, 0);
    let fired = false;
    clock.after(SECOND, () => (fired = true));
    clock.suspend(MINUTE);
    assert.equal(fired, false);
    assert.equal(clock.bootTime(), 60_000);
    clock.setWall(instantMs(5));
    assert.equal(clock.now(), 5);
    assert.equal(clock.bootTime(), 60_000);
  });

  it('announces armed timers and forgets cancelled ones', async () => {
    const clock = new ManualClock();
    const waiting = clock.waitForTimer();
    const cancel = clock.after(SECOND, () => assert.fail('cancelled'));
    await waiting;
    cancel();
    assert.equal(clock.armed, 0);
    clock.advance(MINUTE);
  });
});
