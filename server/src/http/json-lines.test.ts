import { CurfewError, durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { nextTurn } from '../next-turn.js';
import { JsonLines } from './json-lines.js';

const EVERY = durationMs(10_000);

describe('an answer of JSON lines', () => {
  const clock = new ManualClock();
  let server: http.Server;
  let next: (lines: JsonLines) => void;

  beforeEach(async () => {
    server = http.createServer((_, response) => next(new JsonLines(response, clock, EVERY)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Opens an answer: the server's end, and the reader's. */
  async function open(): Promise<{ lines: JsonLines; answer: Promise<http.IncomingMessage> }> {
    const begun = new Promise<JsonLines>((resolve) => (next = resolve));
    const { port } = server.address() as AddressInfo;
    const answer = new Promise<http.IncomingMessage>((resolve) =>
      http.get({ port, host: '127.0.0.1', agent: false }, resolve).on('error', () => undefined),
    );
    return { lines: await begun, answer };
  }
  async function read(answer: http.IncomingMessage): Promise<string> {
    let text = '';
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
    return text;
  }

  it('is one message a line, with a sign of life in between, and ends with what went wrong', async () => {
    const { lines, answer } = await open();
    await lines.write({ a: 'x\ny' });
    clock.advance(EVERY);
    await lines.write({ b: 1 });
    lines.end(new CurfewError('SERVER_STOPPING'));
    lines.close();
    const text = await read(await answer);
    const last = '{"error":{"code":"SERVER_STOPPING","message":"the server is stopping"}}';
    assert.equal(text, `{"a":"x\\ny"}\n\n{"b":1}\n${last}\n`);
  });

  it('waits for a reader that is slow, and takes one that reads nothing at all for gone', async () => {
    const { lines, answer } = await open();
    const message = { text: 'x'.repeat(1_000_000) };
    let sent = 0;
    const sending = (async () => {
      for (; sent < 100 && !lines.gone.aborted; sent++) await lines.write(message);
    })();
    // The reader takes the head alone; what the system buffers is full soon, and nothing moves any more.
    (await answer).on('error', () => undefined);
    while (sent < 100 && !lines.gone.aborted) {
      clock.advance(EVERY);
      await nextTurn();
    }
    await sending;
    assert.ok(lines.gone.aborted, `${sent} messages were taken in without a reader`);
    lines.close();
    assert.equal(clock.armed, 0);
  });

  it('ends at once for whoever waits when the reader goes away', async () => {
    const { lines, answer } = await open();
    await lines.write({});
    const gone = new Promise((resolve) => lines.gone.addEventListener('abort', resolve));
    (await answer).destroy();
    await gone;
    await lines.write({ more: true });
    lines.end();
    lines.close();
    assert.equal(clock.armed, 0);
  });
});
