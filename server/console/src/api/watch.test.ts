import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { ApiClient } from './api-client.js';
import { ApiError, connectionLost } from './api-error.js';
import { watch, type WatchState } from './watch.js';

/** Streams that the test ends and fills. */
class FakeStreams {
  readonly open: {
    send: (message: object) => void;
    alive: () => void;
    end: (error?: Error) => void;
    signal: AbortSignal;
  }[] = [];
  readonly api: Pick<ApiClient, 'stream'> = {
    stream: (_method, _request, signal, onMessage, onLife) =>
      new Promise<void>((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error));
        signal.addEventListener('abort', () => end(new DOMException('stopped', 'AbortError')));
        this.open.push({ send: (message) => onMessage(message), alive: onLife ?? (() => undefined), end, signal });
      }),
  };
}

/** Lets what was promised come true. */
const settle = (): Promise<void> =>
  new Promise(
    (resolve) =>
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => Promise.resolve())
        .then(resolve),
  );

describe('a watch', () => {
  function start(): {
    streams: FakeStreams;
    clock: ManualClock;
    states: WatchState[];
    starts: () => number;
    got: object[];
    stop: () => void;
  } {
    const streams = new FakeStreams();
    const clock = new ManualClock();
    const states: WatchState[] = [];
    const got: object[] = [];
    let starts = 0;
    const random = { fraction: () => 0.5 };
    const stop = watch(
      { api: streams.api, clock, random },
      'SessionService/WatchSessions',
      {},
      {
        onStart: () => starts++,
        onMessage: (message) => got.push(message),
        onState: (state) => states.push(state),
      },
    );
    return { streams, clock, states, starts: () => starts, got, stop };
  }

  it('is live once anything has arrived, and begins a new picture after every reconnect', async () => {
    const { streams, clock, states, starts } = start();
    streams.open[0]?.alive();
    streams.open[0]?.end(connectionLost());
    await settle();
    assert.deepEqual(states, ['connecting', 'live', 'broken']);
    clock.advance(durationMs(8_000));
    streams.open[1]?.alive();
    assert.deepEqual(states, ['connecting', 'live', 'broken', 'live']);
    assert.equal(starts(), 2);
  });

  it('counts silence of 25 s as a broken link', async () => {
    const { streams, clock, states } = start();
    streams.open[0]?.alive();
    clock.advance(durationMs(24_999));
    await settle();
    assert.equal(states.at(-1), 'live');
    clock.advance(durationMs(1));
    await settle();
    assert.equal(states.at(-1), 'broken');
  });

  it('counts a call that nobody answers for 25 s as a broken link, and calls again', async () => {
    const { streams, clock, states } = start();
    clock.advance(durationMs(24_999));
    await settle();
    assert.deepEqual(states, ['connecting']);
    clock.advance(durationMs(1));
    await settle();
    assert.deepEqual(states, ['connecting', 'broken']);
    assert.equal(streams.open[0]?.signal.aborted, true);
    clock.advance(durationMs(8_000));
    assert.equal(streams.open.length, 2);
  });

  it('waits longer after each failure, 8 s at most', async () => {
    const { streams, clock } = start();
    for (let attempt = 0; attempt < 12; attempt++) {
      streams.open.at(-1)?.end(connectionLost());
      await settle();
      const before = streams.open.length;
      clock.advance(durationMs(8_000));
      assert.equal(streams.open.length, before + 1);
    }
  });

  it('does not try again what is refused for good', async () => {
    const { streams, clock, states } = start();
    streams.open[0]?.end(new ApiError('METHOD_NOT_ALLOWED', 'no', undefined, 403));
    await settle();
    clock.advance(durationMs(60_000));
    assert.equal(states.at(-1), 'refused');
    assert.equal(streams.open.length, 1);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const { streams, clock, stop } = start();
    streams.open[0]?.alive();
    stop();
    await settle();
    assert.equal(streams.open[0]?.signal.aborted, true);
    assert.equal(clock.armed, 0);
  });
});
