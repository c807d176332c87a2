import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ServerClock } from './server-clock.js';
import { Ticker } from './ticker.js';

describe('the one clock of all countdowns', () => {
  function ticker(): { clock: ManualClock; ticker: Ticker; jumps: () => number } {
    const clock = new ManualClock(Date.UTC(2026, 0, 1) + 400);
    let jumps = 0;
    return { clock, ticker: new Ticker(clock, new ServerClock(clock), () => jumps++), jumps: () => jumps };
  }

  it('ticks at full seconds, for all who listen, with one timer', () => {
    const { clock, ticker: one } = ticker();
    const seen: number[] = [];
    one.subscribe(() => seen.push(one.now() % 1_000));
    one.subscribe(() => undefined);
    assert.equal(clock.armed, 1);
    clock.advance(durationMs(3_000));
    assert.deepEqual(seen, [5, 5, 5]);
  });

  it('stands still while nobody listens', () => {
    const { clock, ticker: one } = ticker();
    one.subscribe(() => undefined)();
    assert.equal(clock.armed, 0);
  });

  it('says when the machine has slept', () => {
    const { clock, ticker: one, jumps } = ticker();
    one.subscribe(() => undefined);
    clock.setWall((clock.now() + 600_000) as ReturnType<ManualClock['now']>);
    clock.advance(durationMs(1_100));
    assert.equal(jumps(), 1);
  });
});
