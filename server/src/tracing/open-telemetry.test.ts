import { durationMs, ManualClock, SECOND, silentLogger, type Logger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { nextTurn } from '../next-turn.js';
import { OpenTelemetrySpans } from './open-telemetry.js';

const BATCH = 512;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const parent = (sampled: boolean): string => `00-${TRACE}-00f067aa0ba902b7-0${Number(sampled)}`;

/** A collector that counts spans, and answers each post as it is told. */
class Collector {
  readonly events = new EventEmitter();
  received = 0;
  answer: (response: ServerResponse) => void = (response) => response.end('{}');
  private readonly server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.received += Buffer.concat(chunks).toString().split('"spanId"').length - 1;
      this.answer(response);
      this.events.emit('post');
    });
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/traces`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

describe('spans for OpenTelemetry', function () {
  this.timeout(30_000);
  let collector: Collector;
  let dropped: number;
  const drops = new EventEmitter();
  beforeEach(async () => {
    dropped = 0;
    collector = new Collector();
    await collector.start();
  });
  afterEach(() => collector.stop());

  /** By a clock that only a test moves: nothing is given up because the machine is slow. */
  const open = (share = 1, clock = new ManualClock(), logger: Logger = silentLogger): OpenTelemetrySpans => {
    const measures = {
      spansDropped: (count: number) => {
        dropped += count;
        drops.emit('dropped');
      },
    };
    const config = { url: collector.url, headers: {}, ca: undefined, share };
    return new OpenTelemetrySpans(config, { version: '0.1.0', instance: 'one' }, { clock, logger, measures });
  };
  const ended = (spans: OpenTelemetrySpans, count: number): void => {
    for (let at = 0; at < count; at++) spans.begin('call', { at }, undefined)?.end();
  };
  const recorded = (spans: OpenTelemetrySpans, count: number, traceparent?: string): number =>
    Array.from({ length: count }, () => spans.begin('call', {}, traceparent)).filter((span) => span !== undefined)
      .length;

  it('are recorded for a part of the calls, by chance', async () => {
    const [all, half] = [open(), open(0.5)];
    assert.equal(recorded(all, 1_000), 1_000);
    const some = recorded(half, 1_000);
    assert.ok(some > 300 && some < 700, `${some} of 1,000`);
    await Promise.all([all.close(), half.close()]);
  });

  it('are recorded as the caller does where the call is part of a trace', async () => {
    const spans = open(0.5);
    assert.equal(recorded(spans, 200, parent(true)), 200);
    assert.equal(recorded(spans, 200, parent(false)), 0);
    await spans.close();
  });

  it('are sent when they end, those of a server that stops too, and only once', async () => {
    const spans = open();
    const call = spans.begin('call', {}, undefined);
    const part = call?.begin('part');
    call?.end();
    call?.end();
    call?.note({ late: true });
    part?.begin('part of it').end(true);
    await spans.close();
    assert.deepEqual([collector.received, dropped], [2, 0], 'one has not ended');
  });

  it('wait in a bounded queue: each is sent or counted as dropped', async () => {
    const spans = open();
    ended(spans, 5_000);
    assert.ok(dropped > 0 && dropped <= 5_000 - 2_048, `${dropped} dropped`);
    await spans.close();
    assert.equal(collector.received + dropped, 5_000);
  });

  it('are given up after two seconds when the server stops and the collector does not answer', async () => {
    collector.answer = () => undefined;
    const clock = new ManualClock();
    const spans = open(1, clock);
    ended(spans, BATCH + 1);
    const posted = once(collector.events, 'post');
    let closed = false;
    const closing = spans.close().then(() => (closed = true));
    await posted;
    clock.advance(durationMs(2 * SECOND - 1));
    await nextTurn();
    assert.deepEqual([closed, dropped], [false, 0]);
    clock.advance(durationMs(1));
    // Nothing but the clock has moved: the collector still has the post.
    await nextTurn();
    assert.deepEqual([closed, dropped, clock.armed], [true, BATCH + 1, 0]);
    await closing;
  });

  it('are given up after eight seconds when the collector answers without an end', async () => {
    collector.answer = (response) => response.write('x');
    const clock = new ManualClock();
    const spans = open(1, clock);
    const posted = once(collector.events, 'post');
    ended(spans, BATCH);
    await posted;
    assert.equal(dropped, 0);
    clock.advance(durationMs(8 * SECOND));
    assert.equal(dropped, BATCH);
    collector.answer = (response) => response.end('{}');
    ended(spans, BATCH);
    await spans.close();
    assert.equal(dropped, BATCH, 'what came later was sent');
  });

  it('are given up at once when the collector answers with more than an answer', async () => {
    collector.answer = (response) => response.end(Buffer.alloc(10_000_000, 'x'));
    const clock = new ManualClock();
    const spans = open(1, clock);
    const given = once(drops, 'dropped');
    ended(spans, BATCH);
    await given;
    assert.equal(dropped, BATCH);
    await spans.close();
  });

  it('that are refused are told of once in the log, and once when they are taken again', async () => {
    const said: string[] = [];
    const say = (message: string) => said.push(message);
    const spans = open(1, undefined, { ...silentLogger, warn: say, info: say });
    collector.answer = (response) => response.writeHead(400).end();
    for (let batch = 1; batch <= 2; batch++) {
      const refused = once(drops, 'dropped');
      ended(spans, BATCH);
      await refused;
      assert.equal(dropped, batch * BATCH);
    }
    assert.deepEqual(said, ['traces could not be sent']);
    collector.answer = (response) => response.end('{}');
    ended(spans, BATCH);
    await spans.close();
    assert.deepEqual([said, dropped], [['traces could not be sent', 'traces are sent again'], 2 * BATCH]);
  });
});
