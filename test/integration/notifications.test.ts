import { ChannelKind, DeliveryState, NotificationServiceService } from '@curfew/proto';
import { SystemClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelOperator } from '../support/channel-operator.js';
import { MailReceiver } from '../support/mail-receiver.js';
import { receiverCertificate, type ReceiverCertificate } from '../support/receiver-certificate.js';
import { scratchFolder } from '../support/scratch.js';
import { SyslogReceiver, type SyslogTreatment } from '../support/syslog-receiver.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';
import { WebhookReceiver, type Treatment } from '../support/webhook-receiver.js';

const SOON = { withinMs: 30_000 };

describe('notices to real receivers', function () {
  this.timeout(120_000);
  let folder: string;
  let certificate: ReceiverCertificate;
  let server: TestServer;
  let operator: ChannelOperator;
  let users = 0;

  async function startServer(more: Readonly<Record<string, string>> = {}): Promise<void> {
    const ownerToken = (server as TestServer | undefined)?.ownerToken ?? '';
    server = await startTestServer({
      CURFEW_DATA_DIR: join(folder, 'data'),
      CURFEW_NOTIFICATIONS_ALLOW_LOCAL_TARGETS: 'true',
      CURFEW_NOTIFICATIONS_CA_FILE: certificate.caFile,
      ...more,
    });
    server = { ...server, ownerToken: server.ownerToken === '' ? ownerToken : server.ownerToken };
    operator = new ChannelOperator(server);
  }
  async function stopServer(): Promise<void> {
    operator.close();
    await server.close();
  }

  before(async () => {
    folder = scratchFolder('notices');
    certificate = await receiverCertificate(folder);
    await startServer();
  });
  after(async () => {
    await stopServer();
    rmSync(folder, { recursive: true });
  });

  /** That many events of the type 'user.created'; gives the names of the users. */
  async function happen(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => `user-${++users}`);
    await Promise.all(names.map((name) => operator.createUser(name)));
    return names;
  }
  /** Waits until so many have arrived, having the channel hurry where it rests. */
  async function untilArrived(channel: string, has: () => number, count: number): Promise<void> {
    const hurry = async (): Promise<boolean> => {
      if (has() >= count) return true;
      await operator.retry(channel);
      return false;
    };
    await eventually(hurry, { ...SOON, everyMs: 200, what: `${count} at ${channel}` });
    assert.equal(has(), count);
  }
  const inOrder = (indices: readonly number[]): boolean =>
    indices.every((index, at) => at === 0 || index > (indices[at - 1] ?? 0));
  const oncePerEvent = (indices: readonly number[]): number[] => [...new Set(indices)];

  describe('webhooks', () => {
    let receiver: WebhookReceiver;

    const make = async (name: string, tls: boolean): Promise<void> => {
      receiver = await new WebhookReceiver(tls ? certificate : undefined).start();
      const { secret, channel } = await operator.put(name, ChannelKind.WEBHOOK, receiver.url, {
        eventTypes: ['user.'],
      });
      receiver.secret = secret;
      assert.match(secret, /^whsec_/);
      assert.equal(channel?.hasSecret, true);
    };
    afterEach(async () => {
      assert.equal(receiver.unsigned, 0, 'nothing came unsigned');
      await receiver.stop();
    });

    it('arrive signed, over TLS, with what happened in them and nothing twice', async () => {
      await make('hook-tls', true);
      const names = await happen(20);
      await untilArrived('hook-tls', () => receiver.events.length, 20);
      assert.equal(receiver.calls, 20);
      assert.deepEqual(receiver.events.map(({ data }) => data['name']).sort(), names.sort());
      const [event] = receiver.events;
      assert.deepEqual([event?.type, event?.data.actor, event?.data['role']], ['user.created', 'user:owner', 'user']);
      assert.ok(Math.abs(Date.parse(event?.timestamp ?? '') - new SystemClock().now()) < 60_000);
      // What has arrived is written down after that.
      const channel = await eventually(async () => {
        const now = await operator.channel('hook-tls');
        return now?.waiting === 0n && now;
      }, SOON);
      assert.deepEqual([channel.waiting, channel.dead, channel.lastError], [0n, 0n, '']);
      assert.ok(channel.lastDeliveredTime !== undefined);
    });

    it('do not go to one whose certificate nobody vouches for', async () => {
      const other = join(folder, 'other');
      const stranger = await new WebhookReceiver(await receiverCertificate(other)).start();
      await operator.put('hook-stranger', ChannelKind.WEBHOOK, stranger.url, { eventTypes: ['user.'] });
      const { delivered, detail } = await operator.test('hook-stranger');
      assert.deepEqual([delivered, stranger.calls], [false, 0]);
      assert.match(detail, /certificate/);
      await operator.api.unary(NotificationServiceService.deleteChannel, { channel: 'hook-stranger' });
      await stranger.stop();
    });

    for (const trouble of ['fail', 'reset', 'half'] as const satisfies readonly Treatment[])
      it(`arrive all, each with the same id, at a receiver that at first gives every other one: ${trouble}`, async () => {
        const name = `hook-${trouble}`;
        await make(name, false);
        receiver.treat = ({ data }) => (data.index % 2 === 0 ? trouble : 'take');
        await happen(10);
        await eventually(() => receiver.calls >= 10, SOON);
        const failed = await eventually(async () => {
          const { length } = await operator.deliveries(name);
          return length > 0 && receiver.events.length + length === 10 && length;
        }, SOON);
        assert.equal(receiver.events.length, 10 - failed, 'the others have arrived');
        receiver.treat = () => 'take';
        await untilArrived(name, () => receiver.events.length, 10);
        const states = await eventually(async () => {
          const found = (await operator.deliveries(name)).map(({ state }) => state);
          return found.every((state) => state === DeliveryState.DELIVERED) && found;
        }, SOON);
        assert.equal(states.length, failed);
      });

    it('wait for a receiver that is down, through a restart of the server, and then arrive all', async () => {
      await make('hook-down', false);
      await happen(3);
      await untilArrived('hook-down', () => receiver.events.length, 3);
      await receiver.stop();
      await happen(5);
      await eventually(
        async () => ((await operator.channel('hook-down'))?.lastError ?? '').includes('ECONNREFUSED'),
        SOON,
      );
      assert.equal((await operator.channel('hook-down'))?.waiting, 5n);
      await stopServer();
      await startServer();
      await happen(5);
      assert.equal((await operator.channel('hook-down'))?.waiting, 10n);
      await receiver.start();
      await untilArrived('hook-down', () => receiver.events.length, 13);
      assert.deepEqual(oncePerEvent(receiver.indices).length, 13);
      await eventually(async () => (await operator.channel('hook-down'))?.waiting === 0n, SOON);
    });

    it('take a new secret at once, and the old one no more', async () => {
      await make('hook-secret', false);
      const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
      await operator.put('hook-secret', ChannelKind.WEBHOOK, receiver.url, { eventTypes: ['user.'], secret });
      receiver.secret = secret;
      await happen(1);
      await untilArrived('hook-secret', () => receiver.events.length, 1);
    });

    it('can be tried, and tell what went wrong', async () => {
      await make('hook-test', false);
      assert.deepEqual(await operator.test('hook-test'), { delivered: true, detail: 'HTTP 204' });
      assert.equal(receiver.events[0]?.type, 'channel.test');
      receiver.treat = () => 'fail';
      assert.deepEqual(await operator.test('hook-test'), { delivered: false, detail: 'HTTP 500 it broke here' });
      await receiver.stop();
      assert.match((await operator.test('hook-test')).detail, /ECONNREFUSED/);
    });
  });

  for (const scheme of ['tcp', 'tls'] as const)
    describe(`syslog over ${scheme}`, () => {
      let receiver: SyslogReceiver;
      const name = `siem-${scheme}`;

      before(async () => {
        receiver = await new SyslogReceiver(scheme === 'tls' ? certificate : undefined).start();
        await operator.put(name, ChannelKind.SYSLOG, receiver.target, { eventTypes: ['user.'] });
      });
      beforeEach(() => {
        receiver.messages.length = 0;
        receiver.treatment = 'read';
      });
      afterEach(() => {
        assert.deepEqual(receiver.broken, []);
      });
      after(() => receiver.stop());

      it('brings every event in order, as messages of RFC 5424', async () => {
        const names = await happen(50);
        await untilArrived(name, () => receiver.messages.length, 50);
        assert.ok(inOrder(receiver.indices));
        const [message] = receiver.messages;
        assert.deepEqual([message?.priority, message?.app, message?.msgId], [85, 'curfew', 'user.created']);
        assert.equal(message?.structure['actor'], 'user:owner');
        const told = receiver.messages.map((one) => (JSON.parse(one.message) as { data: { name: string } }).data.name);
        assert.deepEqual(told.sort(), names.sort());
      });

      for (const trouble of ['reset', 'end', 'half'] as const satisfies readonly SyslogTreatment[])
        it(`loses nothing and keeps the order when the receiver at first does this: ${trouble}`, async () => {
          receiver.treatment = trouble;
          const before = receiver.connections;
          await happen(10);
          await eventually(() => receiver.connections > before, SOON);
          receiver.treatment = 'read';
          const wanted = (): number => oncePerEvent(receiver.indices).length;
          await untilArrived(name, wanted, 10);
          assert.ok(inOrder(oncePerEvent(receiver.indices)), receiver.indices.join(' '));
          await eventually(async () => (await operator.channel(name))?.waiting === 0n, SOON);
        });

      it('waits for a receiver that is down, through a restart, and keeps the order', async () => {
        await receiver.stop();
        await happen(5);
        await eventually(async () => ((await operator.channel(name))?.lastError ?? '').includes('ECONNREFUSED'), SOON);
        await stopServer();
        await startServer();
        await happen(5);
        await receiver.start();
        await untilArrived(name, () => oncePerEvent(receiver.indices).length, 10);
        assert.ok(inOrder(oncePerEvent(receiver.indices)));
      });
    });

  describe('a file', () => {
    const file = (): string => join(folder, 'data/notices/audit.jsonl');
    const indices = (of = file()): number[] => {
      const lines = readFileSync(of, 'utf8').split('\n').slice(0, -1);
      return lines.map((line) => (JSON.parse(line) as { index: number }).index);
    };

    it('gets the events as the audit log holds them, in order, also while it is rotated', async () => {
      await operator.put('export', ChannelKind.FILE, 'audit.jsonl', { eventTypes: ['user.'] });
      await happen(20);
      await eventually(() => indices().length === 20, SOON);
      renameSync(file(), `${file()}.1`);
      await happen(5);
      await eventually(() => indices().length === 5, SOON);
      assert.ok(inOrder([...indices(`${file()}.1`), ...indices()]));
      const held = await server.running.ledger.read((db) =>
        db.selectFrom('audit_event').select('record').where('idx', '=', indices()[0]!).executeTakeFirstOrThrow(),
      );
      assert.equal(readFileSync(file(), 'utf8').split('\n')[0], held.record.toString('utf8'));
    });

    it('is written by one channel only, and a name never leads out of its folder', async () => {
      await assert.rejects(operator.put('export-2', ChannelKind.FILE, 'audit.jsonl'), /another channel/);
      for (const target of ['../ledger.db', '/etc/passwd', 'a/b', '.hidden', '..', '', 'a\u0000b', 'C:\\x'])
        await assert.rejects(operator.put('export-3', ChannelKind.FILE, target), /channel\.target: is not a file name/);
      assert.equal(await operator.channel('export-3'), undefined);
    });
  });

  describe('mail', () => {
    let receiver: MailReceiver;
    const start = async (tls: ReceiverCertificate | undefined, more: Readonly<Record<string, string>> = {}) => {
      receiver = await new MailReceiver(tls).start();
      await stopServer();
      await startServer({
        CURFEW_MAIL_HOST: 'localhost',
        CURFEW_MAIL_PORT: String(receiver.port),
        CURFEW_MAIL_FROM: 'curfew@example.com',
        ...more,
      });
    };
    afterEach(() => receiver.stop());

    it('arrives over TLS, and says no more in its head than one safe line each', async () => {
      await start(certificate);
      await operator.put('mail', ChannelKind.MAIL, 'ops@example.com, sec@example.com', { eventTypes: ['user.'] });
      await operator.createUser('mallory', undefined, 'Ünicode Name');
      await untilArrived('mail', () => receiver.mails.length, 1);
      const [mail] = receiver.mails;
      assert.deepEqual(
        [mail?.secure, mail?.from, mail?.to],
        [true, 'curfew@example.com', ['ops@example.com', 'sec@example.com']],
      );
      assert.match(mail?.headers.get('message-id')?.join() ?? '', /^<msg_[\w-]{27}@example\.com>$/);
      assert.deepEqual(mail?.headers.get('auto-submitted'), ['auto-generated']);
    });

    it('is tried again with the same Message-ID when it is refused for now, and not for somebody who is refused for good', async () => {
      await start(certificate);
      await operator.put('mail-refused', ChannelKind.MAIL, 'ops@example.com,gone@example.com', {
        eventTypes: ['user.'],
      });
      receiver.refuses.set('gone@example.com', { code: 550, text: 'no such user' });
      await happen(1);
      await eventually(
        async () =>
          /not for everybody|no such user/.test((await operator.channel('mail-refused'))?.lastError ?? '') ||
          receiver.mails.some(({ to }) => to.join() === 'ops@example.com'),
        SOON,
      );
      const before = receiver.mails.filter(({ to }) => to.join() === 'ops@example.com').length;
      assert.equal(before, 1);
      receiver.refuses.set('ops@example.com', { code: 451, text: 'greylisted' });
      await happen(1);
      await eventually(async () => (await operator.deliveries('mail-refused')).length === 1, SOON);
      receiver.refuses.delete('ops@example.com');
      await untilArrived(
        'mail-refused',
        () => receiver.mails.filter(({ to }) => to.join() === 'ops@example.com').length,
        2,
      );
    });
  });
});
