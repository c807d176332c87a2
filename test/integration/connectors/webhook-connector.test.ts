import { ConnectorError, TargetGuard, type Connector } from '@curfew/server/parts';
import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { BROKEN_CONNECTORS } from '../../support/broken-connectors.js';
import { assertIsCaught } from '../../support/caught-faults.js';
import { brokenPromises, itKeepsTheConnectorContract } from '../../support/connector-contract.js';
import { kindOf, openConnector, personOf } from '../../support/connector-parts.js';
import { failFirst, letFail, type FaultRule, type HttpFault } from '../../support/http-faults.js';
import { openWebhook, SIGNING_SECRET, WebhookStage } from '../../support/webhook-stage.js';

const never = (): AbortSignal => new AbortController().signal;
const UNTIL = instantMs(4_000_000_000_000);
const alice = { id: 'alice', label: 'Alice' };
const isError =
  (kind: ConnectorError['kind'], message: RegExp, retryAfterMs?: number) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof ConnectorError, String(error));
    assert.deepEqual([error.kind, error.retryAfterMs], [kind, retryAfterMs], error.message);
    assert.match(error.message, message);
    return true;
  };

/** A call as the receiver got it. */
interface ReceivedCall {
  readonly url: string;
  readonly id: string;
  readonly signature: string;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A receiver that answers what it is told to, and drops what is not signed. */
class ScriptedReceiver {
  readonly calls: ReceivedCall[] = [];
  fault: FaultRule = () => undefined;
  answers: Readonly<Record<string, unknown>> = {};
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => {
        const { method = '', url = '', headers } = request;
        const text = Buffer.concat(chunks).toString();
        const body = new Webhook(SIGNING_SECRET).verify(
          text,
          headers as Record<string, string>,
        ) as ReceivedCall['body'];
        const signature = String(headers['webhook-signature']);
        this.calls.push({ url, id: String(headers['webhook-id']), signature, text, body });
        if (!letFail(this.fault({ method, url, headers, body }), request, response)) return;
        response.end(JSON.stringify(this.answers[String(body['operation'])] ?? {}));
      });
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/curfew`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
    if (this.server !== undefined) await once(this.server, 'close');
  }

  idsOf(operation: string): string[] {
    return this.calls.filter(({ body }) => body['operation'] === operation).map(({ id }) => id);
  }
}

describe('the webhook connector', function () {
  this.timeout(180_000);

  describe('with the example receiver', () => {
    itKeepsTheConnectorContract(() => WebhookStage.start());

    for (const [name, breakIt] of Object.entries(BROKEN_CONNECTORS))
      it(`does not pass the contract with the fault ${name}`, async () => {
        const broken = await brokenPromises(async () => {
          const stage = await WebhookStage.start();
          stage.connector = breakIt(stage.connector, stage.people);
          return stage;
        });
        assertIsCaught(name, broken);
      });

    it('is refused when it signs with another secret, and nothing happens', async () => {
      const stage = await WebhookStage.start();
      const forger = openWebhook(stage.url, SIGNING_SECRET.replace('whsec_Y', 'whsec_Z'));
      try {
        await assert.rejects(
          forger.add(alice, UNTIL, never()),
          isError('refused', /HTTP 401: .*the signature is wrong/),
        );
        assert.equal(await stage.truth(personOf('alice')), false);
      } finally {
        await forger.close();
        await stage.close();
      }
    });
  });

  describe('on its own', () => {
    let receiver: ScriptedReceiver;
    let connector: Connector;
    let url: string;
    beforeEach(async () => {
      receiver = new ScriptedReceiver();
      url = await receiver.start();
      connector = openWebhook(url);
    });
    afterEach(async () => {
      await connector.close();
      await receiver.stop();
    });

    it('posts each operation as agreed', async () => {
      receiver.answers = {
        describe: { text: 'all', more: 1 },
        find_subject: { subject: null },
        has: { has: true },
        members: { members: [] },
      };
      const person = { userName: 'alice', displayName: 'Alice', mailAddresses: ['alice@example.com'], subject: 'al' };
      assert.deepEqual(await connector.describe(never()), { text: 'all', findings: [] });
      assert.equal(await connector.findSubject(person, never()), undefined);
      await connector.add(alice, UNTIL, never());
      receiver.answers = { ...receiver.answers, has: { has: false } };
      await connector.remove(alice, never());
      assert.deepEqual(await connector.members(never()), []);
      const resource = 'ops';
      assert.deepEqual(
        receiver.calls.map(({ body }) => body),
        [
          { operation: 'describe', resource },
          {
            operation: 'find_subject',
            resource,
            person: { user_name: 'alice', display_name: 'Alice', mail_addresses: ['alice@example.com'], subject: 'al' },
          },
          { operation: 'add', resource, subject: alice, until: '2096-10-02T07:06:40.000Z' },
          { operation: 'has', resource, subject: alice },
          { operation: 'remove', resource, subject: alice },
          { operation: 'has', resource, subject: alice },
          { operation: 'members', resource, cursor: '' },
        ],
      );
      assert.ok(receiver.calls.every((call) => call.url === '/curfew'));
      assert.equal(new Set(receiver.calls.map(({ id }) => id)).size, 7);
    });

    it('keeps the id of what is tried again, until there is an answer', async () => {
      receiver.answers = { has: { has: true } };
      receiver.fault = failFirst(
        2,
        { kind: 'lose' },
        ({ body }) => (body as ReceivedCall['body'])['operation'] === 'add',
      );
      for (let attempt = 0; attempt < 2; attempt++)
        await assert.rejects(connector.add(alice, UNTIL, never()), isError('unreachable', /./));
      await connector.add(alice, UNTIL, never());
      await connector.add(alice, UNTIL, never());
      const [first, second, third, fourth] = receiver.idsOf('add');
      assert.deepEqual([second, third], [first, first]);
      assert.notEqual(fourth, first);
    });

    it('gives a removal after an answered one another id, also when the first was refused', async () => {
      receiver.answers = { has: { has: false } };
      receiver.fault = failFirst(1, { kind: 'answer', status: 403 });
      await assert.rejects(connector.remove(alice, never()), isError('refused', /403/));
      await connector.remove(alice, never());
      await connector.remove(alice, never());
      assert.equal(new Set(receiver.idsOf('remove')).size, 3);
    });

    it('reads pages to their end, and notices those that have none', async () => {
      const pages = [{ members: [alice], next: 'p2' }, { members: [alice, { id: 'bob', label: 'Bob' }] }];
      receiver.fault = () => ({ kind: 'answer', status: 200, body: JSON.stringify(pages[receiver.calls.length - 1]) });
      assert.deepEqual(
        (await connector.members(never())).map(({ id }) => id),
        ['alice', 'bob'],
      );
      assert.deepEqual(
        receiver.calls.map(({ body }) => body['cursor']),
        ['', 'p2'],
      );
      receiver.fault = () => ({ kind: 'answer', status: 200, body: JSON.stringify({ members: [], next: 'again' }) });
      await assert.rejects(connector.members(never()), isError('refused', /do not come to an end$/));
    });

    for (const { name, fault, kind, message, retryAfterMs } of [
      {
        name: '429',
        fault: { kind: 'answer', status: 429, headers: { 'retry-after': '7' } },
        kind: 'unreachable',
        message: /HTTP 429/,
        retryAfterMs: 7_000,
      },
      {
        name: '503',
        fault: { kind: 'answer', status: 503, headers: { 'retry-after': '2' } },
        kind: 'unreachable',
        message: /HTTP 503/,
        retryAfterMs: 2_000,
      },
      {
        name: '500',
        fault: { kind: 'answer', status: 500, body: '{"message":"it broke\\u001b[2J"}' },
        kind: 'unreachable',
        message: /HTTP 500: it broke\\u\{1b\}\[2J$/,
      },
      {
        name: '404',
        fault: { kind: 'answer', status: 404, body: '{"message":"no such resource"}' },
        kind: 'refused',
        message: /HTTP 404: no such resource$/,
      },
      {
        name: 'a redirect',
        fault: { kind: 'answer', status: 307, headers: { location: 'http://127.0.0.1:1/' } },
        kind: 'refused',
        message: /redirects are not followed/,
      },
      {
        name: 'no JSON',
        fault: { kind: 'answer', status: 200, body: '<html>' },
        kind: 'unreachable',
        message: /no JSON$/,
      },
      {
        name: 'something else',
        fault: { kind: 'answer', status: 200, body: '{"has":"yes"}' },
        kind: 'refused',
        message: /^the answer to 'has' is not as agreed: has: /,
      },
      {
        name: 'nothing',
        fault: { kind: 'answer', status: 204 },
        kind: 'refused',
        message: /^the answer to 'has' is not as agreed: it: /,
      },
      { name: 'half an answer', fault: { kind: 'half' }, kind: 'unreachable', message: /ended in the middle|aborted/ },
      { name: 'a reset', fault: { kind: 'reset' }, kind: 'unreachable', message: /ECONNRESET/ },
    ] satisfies readonly Trouble[] as readonly Trouble[])
      it(`says what the matter is with an answer of ${name}`, async () => {
        receiver.fault = () => fault;
        await assert.rejects(connector.has(alice, never()), isError(kind, message, retryAfterMs));
      });

    it('shows no secret, whatever the receiver says', async () => {
      const body = JSON.stringify({ message: `bad ${SIGNING_SECRET} ${SIGNING_SECRET.slice(6)}` });
      receiver.fault = () => ({ kind: 'answer', status: 400, body });
      await assert.rejects(connector.has(alice, never()), (error: Error) => {
        assert.ok(!error.message.includes(SIGNING_SECRET.slice(6)), error.message);
        return isError('refused', /HTTP 400: bad /)(error);
      });
    });

    it('sends hostile names as text of the body alone', async () => {
      receiver.answers = { has: { has: false } };
      const hostile = { id: '"}\r\nX-Evil: 1\u202E', label: '../../x' };
      assert.equal(await connector.has(hostile, never()), false);
      const [call] = receiver.calls;
      assert.deepEqual([call?.url, call?.body['subject']], ['/curfew', hostile]);
    });

    it('goes only where the guard allows', async () => {
      const wish = { secrets: { signing_secret: SIGNING_SECRET }, target: { resource: 'ops' } };
      const guard = new TargetGuard(false, async () => [{ address: '127.0.0.1', family: 4 }]);
      for (const target of [url, url.replace('http://127.0.0.1', 'https://rebind.example.com')]) {
        const guarded = openConnector('webhook', { settings: { url: target }, ...wish, guard });
        await assert.rejects(
          guarded.has(alice, never()),
          isError('refused', /own machine or link, where connectors may not go/),
        );
        await guarded.close();
      }
      assert.deepEqual(receiver.calls, []);
    });
  });

  describe('its settings', () => {
    const problemOf = (name: string, value: string): string | undefined =>
      kindOf('webhook')
        .settings.find((field) => field.name === name)
        ?.problem?.(value);

    it('take https, or http to this machine, without a user, a query or a slash at the end', () => {
      for (const value of [
        'https://x.example.com',
        'https://x.example.com/',
        'https://x.example.com/a',
        'http://[::1]:1/a',
      ])
        assert.equal(problemOf('url', value), undefined, value);
      for (const value of [
        'http://x.example.com/',
        'ftp://x',
        'https://u:p@x.example.com/',
        'https://x.example.com/?a',
        'https://x.example.com/a/',
        'x',
      ])
        assert.notEqual(problemOf('url', value), undefined, value);
    });

    it('take a signing secret of 24 bytes or more', () => {
      assert.equal(problemOf('signing_secret', SIGNING_SECRET), undefined);
      for (const value of ['', 'whsec_', 'whsec_c2hvcnQ=', SIGNING_SECRET.slice(6)])
        assert.match(problemOf('signing_secret', value) ?? '', /^must be whsec_ and 24 to 64 bytes/);
    });
  });
});

/** A failure of the receiver, and what is to be said of it. */
interface Trouble {
  readonly name: string;
  readonly fault: HttpFault;
  readonly kind: ConnectorError['kind'];
  readonly message: RegExp;
  readonly retryAfterMs?: number;
}
