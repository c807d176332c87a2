import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ReplayPace } from './replay-pace.js';

describe('the pace of a replay', () => {
  const after = async (flags: { speed: number; maxIdle: number }, delays: readonly number[]): Promise<number[]> => {
    const clock = new ManualClock();
    const pace = new ReplayPace(clock, flags, new AbortController().signal);
    const start = clock.now();
    const times: number[] = [];
    for (const delay of delays) {
      const there: string[] = [];
      const isThere = (): boolean => there.length > 0;
      const waiting = pace.until(delay).then(() => there.push('due'));
      while (!isThere()) {
        await Promise.resolve();
        await Promise.resolve();
        if (!isThere()) clock.advance(durationMs(1));
      }
      await waiting;
      times.push(clock.now() - start);
    }
    return times;
  };

  it('is that of the recording', async () => {
    assert.deepEqual(await after({ speed: 1, maxIdle: 60_000 }, [100, 0, 50]), [100, 100, 150]);
  });

  it('is faster or slower as asked, to the millisecond over all', async () => {
    assert.deepEqual(await after({ speed: 2, maxIdle: 60_000 }, [100, 100, 101]), [50, 100, 150]);
    assert.deepEqual(await after({ speed: 0.5, maxIdle: 60_000 }, [10, 10]), [20, 40]);
  });

  it('does not wait longer than asked', async () => {
    assert.deepEqual(await after({ speed: 1, maxIdle: 200 }, [3_600_000, 100]), [200, 300]);
  });

  it('does not wait once more for what came late by itself', async () => {
    const clock = new ManualClock();
    const pace = new ReplayPace(clock, { speed: 1, maxIdle: 60_000 }, new AbortController().signal);
    clock.advance(durationMs(5_000));
    await pace.until(1_000);
    const waiting = pace.until(100);
    clock.advance(durationMs(100));
    await waiting;
  });

  it('waits no more once it is stopped', async () => {
    const stop = new AbortController();
    const pace = new ReplayPace(new ManualClock(), { speed: 1, maxIdle: 60_000 }, stop.signal);
    const waiting = pace.until(50_000);
    stop.abort();
    await waiting;
    await pace.until(50_000);
  });
});
