import { durationMs, ManualClock, SECOND, type Clock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { TargetGuard } from '../../notifiers/targets/target-guard.js';
import { ConnectorError } from '../connector.js';
import { JsonClient } from './json-client.js';

const isUnreachable =
  (says: RegExp) =>
  (error: unknown): boolean =>
    error instanceof ConnectorError && error.kind === 'unreachable' && says.test(error.message);

describe('JSON over HTTP for connectors', () => {
  let server: Server;
  let sockets: Set<Socket>;
  let calls: IncomingMessage[];
  let client: JsonClient;
  let clock: ManualClock;
  let respond: (response: ServerResponse) => void;

  const never = new AbortController().signal;
  const open = (connections = 2): JsonClient =>
    new JsonClient({
      base: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api`),
      headers: { authorization: 'Bearer s3cret' },
      contentType: 'application/json',
      secrets: ['s3cret'],
      ca: '',
      guard: new TargetGuard(true),
      clock: clock satisfies Clock,
      connections,
    });

  beforeEach(async () => {
    [sockets, calls, clock] = [new Set(), [], new ManualClock()];
    respond = (response) => void response.end('{"ok": true}');
    server = createServer((request, response) => {
      calls.push(request);
      sockets.add(request.socket);
      request.resume();
      respond(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = open();
  });
  afterEach(async () => {
    client.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('keeps its connections, and never more than it may', async () => {
    const call = { method: 'POST', path: ['things', 'a/b'], query: { q: '&' }, body: { x: 1 } } as const;
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.call(call, never)));
    assert.ok(answers.every(({ status, body }) => status === 200 && (body as { ok: boolean }).ok));
    assert.equal(sockets.size, 2);
    const [first] = calls;
    assert.equal(first?.url, '/api/things/a%2Fb?q=%26');
    assert.deepEqual([first.headers['content-type'], first.headers['content-length']], ['application/json', '7']);
  });

  it('waits for no answer longer than 20 seconds, the headers of which came at once or not', async () => {
    for (const begin of [
      () => undefined,
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': '100' }).write('{');
      },
    ]) {
      const asked = new Promise<void>((resolve) => {
        respond = (response) => {
          begin(response);
          resolve();
        };
      });
      const answer = client.call({ method: 'GET', path: ['slow'] }, never);
      const failed = assert.rejects(answer, isUnreachable(/no whole answer within 20 s/));
      await asked;
      clock.advance(durationMs(20 * SECOND));
      await failed;
    }
    respond = (response) => void response.end('{}');
    assert.equal((await client.call({ method: 'GET', path: ['quick'] }, never)).status, 200);
  });

  it('leaves no timer behind', async () => {
    await client.call({ method: 'GET', path: ['quick'] }, never);
    await client.call({ method: 'GET', path: ['quick'] }, never);
    assert.equal(clock.armed, 0);
  });

  it('stops when it is told to, before and while it waits', async () => {
    await assert.rejects(
      client.call({ method: 'GET', path: ['x'] }, AbortSignal.abort()),
      isUnreachable(/told to stop/),
    );
    assert.equal(calls.length, 0);
    const stop = new AbortController();
    respond = () => stop.abort();
    await assert.rejects(
      client.call({ method: 'GET', path: ['x'] }, stop.signal),
      isUnreachable(/not answered in time/),
    );
  });
});
