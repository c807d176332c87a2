import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { ApiClient } from '../api/api-client.js';
import { ApiError, connectionLost } from '../api/api-error.js';
import type { RecordedEventJson, RecordingJson, WatchRecordingResponseJson } from '../gen/api.js';
import { RecordingFeed } from './recording-feed.js';
import { findIn } from './shown-text.js';

const HEAD: RecordingJson = {
  startTime: '1970-01-01T00:00:07Z',
  id: 'rec-1',
  columns: 80,
  lines: 24,
  command: '/bin/ls',
  state: 'RECORDING_STATE_COMPLETE',
};

const out = (text: string): RecordedEventJson => ({
  delay: '1s',
  terminalOutput: Buffer.from(text).toString('base64'),
});

interface Stream {
  readonly send: (message: WatchRecordingResponseJson) => void;
  readonly end: (error?: Error) => void;
}

/** Lets what was promised come true. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

describe('a recording that comes from the server', () => {
  let streams: Stream[];
  let clock: ManualClock;
  let broken: boolean[];
  let stopped: number;

  function start(mostLetters = 1_000): RecordingFeed {
    streams = [];
    clock = new ManualClock();
    broken = [];
    stopped = 0;
    const api: Pick<ApiClient, 'stream'> = {
      stream: (_method, _request, signal, onMessage, onLife) =>
        new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => {
            stopped++;
            reject(new DOMException('stopped', 'AbortError'));
          });
          streams.push({
            send: (message) => {
              onLife?.();
              onMessage(message);
            },
            end: (error) => (error === undefined ? resolve() : reject(error)),
          });
        }),
    };
    const feed = new RecordingFeed(
      {
        api,
        clock,
        random: { fraction: () => 0.5 },
        nextFrame: (fn) => fn(),
        onBroken: (is) => broken.push(is),
        mostLetters,
      },
      'rec-1',
    );
    feed.start();
    return feed;
  }
  const shown = (feed: RecordingFeed): string =>
    feed.text
      .lines()
      .map(({ text }) => text)
      .join('|');

  it('is whole when the server ends it after the command has ended', async () => {
    const feed = start();
    assert.equal(feed.current().state, 'connecting');
    streams[0]?.send({ recording: { ...HEAD, runTime: '5s' }, events: [out('one\r\n')] });
    streams[0]?.send({ events: [out('two')] });
    assert.deepEqual([feed.current().state, feed.current().playback?.current().state], ['live', 'paused']);
    streams[0]?.end();
    await settle();
    assert.equal(feed.current().state, 'whole');
    assert.deepEqual(feed.current().playback?.current().durationMs, 5_000);
    assert.equal(shown(feed), 'one|two');
    assert.equal(
      feed.file(),
      '{"version":2,"width":80,"height":24,"timestamp":7,"command":"/bin/ls"}\n[1,"o","one\\r\\n"]\n[2,"o","two"]\n',
    );
    clock.advance(durationMs(60_000));
    assert.equal(streams.length, 1, 'nothing is asked for again');
  });

  it('is followed while the command runs, and a stream that ends too soon is begun again', async () => {
    const feed = start();
    streams[0]?.send({ recording: { ...HEAD, state: 'RECORDING_STATE_RUNNING' }, events: [out('one\r\n')] });
    assert.equal(feed.current().playback?.current().state, 'following');
    streams[0]?.end();
    await settle();
    assert.deepEqual([feed.current().state, broken.at(-1)], ['broken', true]);
    clock.advance(durationMs(8_000));
    assert.equal(streams.length, 2);
  });

  it('takes nothing twice after a break, wherever it came', async () => {
    const feed = start();
    const running: RecordingJson = { ...HEAD, state: 'RECORDING_STATE_RUNNING' };
    streams[0]?.send({ recording: running, events: [out('one\r\n'), out('two\r\n')] });
    streams[0]?.end(connectionLost());
    await settle();
    clock.advance(durationMs(8_000));
    streams[1]?.send({ recording: running, events: [out('one\r\n')] });
    streams[1]?.send({ events: [out('two\r\n'), out('three\r\n')] });
    assert.equal(shown(feed), 'one|two|three');
    assert.equal(feed.current().playback?.current().positionMs, 3_000);
    streams[1]?.send({ recording: { ...HEAD, state: 'RECORDING_STATE_CUT_SHORT' }, events: [out('four')] });
    streams[1]?.end();
    await settle();
    assert.deepEqual([shown(feed), feed.current().state], ['one|two|three|four', 'whole']);
    assert.equal(feed.current().playback?.current().state, 'ended');
    assert.equal(broken.at(-1), false);
  });

  it('says why it was refused', async () => {
    const feed = start();
    streams[0]?.end(new ApiError('METHOD_NOT_ALLOWED', 'no', undefined, 403));
    await settle();
    assert.deepEqual([feed.current().state, feed.current().error?.code], ['refused', 'METHOD_NOT_ALLOWED']);
  });

  it('keeps what came when the rest cannot be read, and does not ask again', async () => {
    const feed = start();
    streams[0]?.send({ recording: HEAD, events: [out('one')] });
    streams[0]?.end(new ApiError('RECORDING_UNREADABLE', 'damaged', undefined, 200));
    await settle();
    assert.deepEqual([feed.current().state, feed.current().error?.code], ['refused', 'RECORDING_UNREADABLE']);
    assert.deepEqual([shown(feed), feed.current().playback?.current().durationMs], ['one', 1_000]);
    clock.advance(durationMs(60_000));
    assert.equal(streams.length, 1);
  });

  it('asks again where the server says that it may go better', async () => {
    const feed = start();
    streams[0]?.send({ recording: HEAD, events: [out('one')] });
    streams[0]?.end(new ApiError('RECORDINGS_UNAVAILABLE', 'not now', undefined, 200));
    await settle();
    assert.equal(feed.current().state, 'broken');
    clock.advance(durationMs(8_000));
    assert.equal(streams.length, 2);
  });

  it('stops where the page can hold no more', async () => {
    const feed = start(10);
    streams[0]?.send({ recording: HEAD, events: [out('12345')] });
    assert.equal(feed.current().state, 'live');
    streams[0]?.send({ events: [out('6789012')] });
    await settle();
    assert.deepEqual([feed.current().state, stopped], ['cut', 1]);
    streams[0]?.send({ events: [out('more')] });
    assert.equal(shown(feed), '123456789012');
    assert.equal(feed.current().playback?.current().durationMs, 2_000);
  });

  it('is searched as it grows', () => {
    const feed = start();
    streams[0]?.send({ recording: HEAD, events: [out('need'), out('le')] });
    assert.equal(findIn(feed.text.lines(), 'needle', 10).found[0]?.atMs, 2_000);
  });

  it('asks no more once it is stopped', async () => {
    const feed = start();
    feed.stop();
    await settle();
    clock.advance(durationMs(60_000));
    assert.deepEqual([streams.length, stopped, clock.armed], [1, 1, 0]);
  });
});
