import { AuditServiceService, ChannelKind, ListAuditEventsRequest } from '@curfew/proto';
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ChannelOperator } from '../support/channel-operator.js';
import { ControlPlane } from '../support/control-plane.js';
import { receiverCertificate } from '../support/receiver-certificate.js';
import { scratchFolder } from '../support/scratch.js';
import { SyslogReceiver } from '../support/syslog-receiver.js';
import { eventually } from '../support/wait.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const KILLS = 6;
const EVENTS_A_ROUND = 60;
const SOON = { withinMs: 90_000 };

describe('a server that is killed again and again while it sends notices', function () {
  this.timeout(400_000);
  let folder: string;
  let plane: ControlPlane;
  let operator: ChannelOperator;
  let hook: WebhookReceiver;
  let siem: SyslogReceiver;
  let made = 0;
  /** How many users the server has answered for. */
  let answered = 0;

  before(async () => {
    folder = scratchFolder('receivers');
    const certificate = await receiverCertificate(folder);
    hook = await new WebhookReceiver(certificate).start();
    siem = await new SyslogReceiver().start();
    plane = await ControlPlane.start({
      CURFEW_NOTIFICATIONS_ALLOW_LOCAL_TARGETS: 'true',
      CURFEW_NOTIFICATIONS_CA_FILE: certificate.caFile,
      CURFEW_LIMITS_TOKEN_CALLS_PER_SECOND: '100000',
    });
    operator = new ChannelOperator(plane);
    const eventTypes = ['user.'];
    hook.secret = (await operator.put('hook', ChannelKind.WEBHOOK, hook.url, { eventTypes })).secret;
    await operator.put('siem', ChannelKind.SYSLOG, siem.target, { eventTypes });
    await operator.put('file', ChannelKind.FILE, 'audit.jsonl', { eventTypes });
  });
  after(async () => {
    operator.close();
    await plane.dispose();
    await hook.stop();
    await siem.stop();
    rmSync(folder, { recursive: true });
  });

  /** Makes users until the server is gone; gives how many it has answered for. */
  async function makeUsers(): Promise<number> {
    const names = Array.from({ length: EVENTS_A_ROUND }, () => `user-${++made}`);
    const create = async (name: string): Promise<void> => {
      await operator.createUser(name);
      answered += 1;
    };
    const answers = await Promise.allSettled(names.map(create));
    return answers.filter(({ status }) => status === 'fulfilled').length;
  }
  /** The indices of the events that the ledger holds. */
  async function held(): Promise<number[]> {
    const request = ListAuditEventsRequest.fromPartial({ typePrefix: 'user.', pageSize: 1000 });
    const { events } = await operator.api.unary(AuditServiceService.listAuditEvents, request);
    return events.map(({ index }) => Number(index)).sort((a, b) => a - b);
  }
  const once = (indices: readonly number[]): number[] => [...new Set(indices)];
  const inFile = (): number[] => {
    const lines = readFileSync(join(plane.folder, 'notices/audit.jsonl'), 'utf8').split('\n');
    assert.equal(lines.pop(), '', 'the last line is whole');
    return lines.map((line) => (JSON.parse(line) as { index: number }).index);
  };

  it('loses none of them, sends none unsigned, and keeps their order where it matters', async () => {
    // The receiver has troubles of its own: the first attempt of every fifth event breaks.
    const broken = new Set<number>();
    hook.treat = ({ data: { index } }) => {
      if (index % 5 !== 0 || broken.has(index)) return 'take';
      broken.add(index);
      return index % 2 === 0 ? 'reset' : 'fail';
    };
    for (let round = 0; round < KILLS; round++) {
      const [calls, connections] = [hook.calls, siem.connections];
      const making = makeUsers();
      // Once more with every round: before anything was sent, in the middle, and after the most of it.
      const enough = (): boolean =>
        round % 2 === 0
          ? hook.calls >= calls + round * 6
          : siem.connections > connections && hook.calls >= calls + round;
      // At the last kill somebody has had an answer, however slow all was before.
      const isLast = round === KILLS - 1;
      await eventually(() => enough() && (!isLast || answered > 0), { ...SOON, everyMs: 1 });
      await plane.stop('SIGKILL');
      await making;
      await plane.run();
      operator.close();
      operator = new ChannelOperator(plane);
    }
    const before = answered;
    const last = await makeUsers();
    assert.equal(last, EVENTS_A_ROUND);
    // The first owner was there before the channels.
    const [, ...wanted] = await held();
    assert.ok(wanted.length >= answered, `${wanted.length} events, ${answered} answered`);
    assert.ok(before > 0 && before < KILLS * EVENTS_A_ROUND, `${before} answered: the kills were in the middle`);

    const all = async (): Promise<boolean> => {
      await operator.retry('hook');
      await operator.retry('siem');
      return (
        hook.events.length >= wanted.length &&
        once(siem.indices).length >= wanted.length &&
        inFile().length >= wanted.length
      );
    };
    await eventually(all, { ...SOON, everyMs: 200, what: 'everything everywhere' });
    const sorted = (indices: readonly number[]): number[] => [...indices].sort((a, b) => a - b);
    assert.deepEqual(sorted(hook.indices), wanted, 'the webhook has each, once by its id');
    assert.equal(hook.unsigned, 0);
    assert.deepEqual(once(siem.indices), wanted, 'syslog has each, in order');
    assert.deepEqual(siem.broken, []);
    assert.deepEqual(inFile(), wanted, 'the file has each once, in order');
    for (const name of ['hook', 'siem', 'file'])
      await eventually(async () => (await operator.channel(name))?.waiting === 0n, SOON);
    const doubles = hook.ids.length - hook.events.length + siem.indices.length - once(siem.indices).length;
    console.log(`        ${wanted.length} events, ${KILLS} kills, ${doubles} arrived twice`);
  });
});
