import { bootMs, durationMs, instantMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ServerClock } from './server-clock.js';

const SERVER_AHEAD_MS = 90_000;

describe('the server’s time in the page', () => {
  /** An answer whose head took `ms` each way; the server truncates its clock to seconds. */
  function exchange(clock: ManualClock, server: ServerClock, ms: number): void {
    const sent = clock.bootTime();
    clock.advance(durationMs(ms));
    const date = Math.floor((clock.now() + SERVER_AHEAD_MS) / 1_000) * 1_000;
    clock.advance(durationMs(ms));
    server.observe(date, sent, clock.bootTime());
  }

  it('is this machine’s before the first answer', () => {
    const clock = new ManualClock();
    const server = new ServerClock(clock);
    assert.equal(server.known, false);
    assert.equal(server.now(), clock.now());
  });

  it('agrees with the server to a few milliseconds after some answers', () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1) + 137);
    const server = new ServerClock(clock);
    for (let index = 0; index < 40; index++) {
      exchange(clock, server, 5);
      clock.advance(durationMs(733));
    }
    assert.ok(Math.abs(server.now() - clock.now() - SERVER_AHEAD_MS) < 30);
  });

  it('does not move when somebody sets this machine’s clock', () => {
    const clock = new ManualClock();
    const server = new ServerClock(clock);
    exchange(clock, server, 5);
    const before = server.now();
    clock.setWall(instantMs(clock.now() + 3_600_000));
    assert.equal(server.now(), before);
    assert.equal(server.jumped(), true);
    assert.equal(server.jumped(), false);
  });

  it('takes the newest answer alone when it contradicts the earlier ones', () => {
    const clock = new ManualClock();
    const server = new ServerClock(clock);
    exchange(clock, server, 5);
    server.observe(clock.now() + 7_200_000, clock.bootTime(), clock.bootTime());
    assert.ok(Math.abs(server.now() - clock.now() - 7_200_000) <= 500);
  });

  it('takes no notice of a date that is none', () => {
    const clock = new ManualClock();
    const server = new ServerClock(clock);
    server.observe(Number.NaN, bootMs(0), bootMs(0));
    assert.equal(server.known, false);
  });
});
