import {
  CurfewError,
  DAY,
  durationMs,
  HOUR,
  ManualClock,
  MINUTE,
  SECOND,
  silentLogger,
  systemRandom,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { nextTurn } from '../next-turn.js';
import { allChannels, type ChannelRecord } from './channel-record.js';
import { Notifier } from './notifier.js';
import type { Notice } from './notice.js';
import { MOST_ATTEMPTS } from './retry-plan.js';
import { delivered, refused, unreachable, type Outcome, type Sender } from './sender.js';

/** A place whose answers a test gives; keeps what came, attempt by attempt. */
class ScriptedPlace implements Sender {
  readonly attempts: number[][] = [];
  readonly ids = new Map<number, Set<string>>();
  arrived: number[] = [];
  answer: (notices: readonly Notice[]) => Promise<Outcome> | Outcome = () => delivered('ok');

  constructor(readonly ordered: boolean) {}

  async send(notices: readonly Notice[]): Promise<Outcome> {
    this.attempts.push(notices.map(({ index }) => index));
    for (const { index, id } of notices) this.ids.set(index, (this.ids.get(index) ?? new Set()).add(id));
    const outcome = await this.answer(notices);
    if (outcome.kind === 'delivered') this.arrived.push(...notices.map(({ index }) => index));
    return outcome;
  }
}

describe('a channel that follows the audit log', () => {
  let clock: ManualClock;
  let ledger: SqliteLedger;
  let notifier: Notifier;
  let place: ScriptedPlace;
  let size = 0;

  beforeEach(async () => {
    clock = new ManualClock();
    size = 0;
    ledger = await SqliteLedger.open({
      file: ':memory:',
      clock,
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
  });
  afterEach(async () => {
    await notifier.stop();
    await ledger.close();
  });

  /** Audit events, all in one transaction; the type of each. */
  async function happen(...types: string[]): Promise<void> {
    await ledger.write(async (tx) => {
      for (const [at, type] of types.entries())
        tx.audit({ type, actor: { kind: 'server' }, subject: `s-${size + at}`, data: { user: 'alice' } });
      tx.changed('ledger', 'x');
    });
    size += types.length;
  }
  const many = (count: number, type = 'request.created'): string[] => Array.from({ length: count }, () => type);

  async function makeChannel(kind: 'webhook' | 'syslog', more: object = {}): Promise<void> {
    const row = { id: 'chn-00000000000000000000', name: 'ops', name_key: 'ops', kind, target: 'x' } as const;
    const rest = { event_types: '[]', disabled: 0, secret: '', created_at_ms: 0, cursor: size, last_error: '' };
    await ledger.write(async ({ db }) => {
      await db
        .insertInto('channel')
        .values({ ...row, ...rest, last_delivered_at_ms: null, ...more })
        .execute();
    });
  }
  async function start(ordered: boolean): Promise<void> {
    place = new ScriptedPlace(ordered);
    await restart();
  }
  async function restart(): Promise<void> {
    notifier = new Notifier({ ledger, clock, random: systemRandom, logger: silentLogger, senderOf: () => place });
    await notifier.start();
    await calm();
  }
  /** Lets everything happen that needs no time to pass. */
  async function calm(): Promise<void> {
    for (let turn = 0; turn < 60; turn++) await nextTurn();
  }
  /** Lets time pass in steps, so that timers that follow from others fire too. */
  async function pass(ms: number, stepMs = Math.max(100, ms / 200)): Promise<void> {
    for (let gone = 0; gone < ms; gone += stepMs) {
      clock.advance(durationMs(stepMs));
      await calm();
    }
  }
  const channel = async (): Promise<ChannelRecord> => (await ledger.read(allChannels))[0]!;
  const deliveries = () => ledger.read((db) => db.selectFrom('delivery').selectAll().orderBy('event_idx').execute());

  it('begins at now, sends what it takes by type, and leaves no delivery behind', async () => {
    await happen('request.created', 'session.active');
    await makeChannel('webhook', { event_types: '["request.","user.created"]' });
    await start(false);
    await happen('request.approved', 'session.ended', 'user.created', 'user.updated', 'requests');
    await pass(SECOND);
    assert.deepEqual(place.arrived.sort(), [2, 4]);
    assert.deepEqual(await deliveries(), []);
    const { cursor, last_error, last_delivered_at_ms } = await channel();
    assert.ok(cursor > 4, `${cursor}`);
    assert.deepEqual([last_error, typeof last_delivered_at_ms], ['', 'number']);
  });

  it('finds events of which nobody is told, within some seconds', async () => {
    await makeChannel('webhook');
    await start(false);
    await ledger.write(async (tx) => tx.audit({ type: 'a.b', actor: { kind: 'server' }, subject: 's' }));
    await pass(6 * SECOND);
    assert.deepEqual(place.arrived, [0]);
  });

  it('tries again what was refused, ever later, while the others go on, and gives up at last', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = ([notice]) => (notice?.index === 1 ? refused('HTTP 500 poison') : delivered('ok'));
    await happen(...many(3));
    await pass(SECOND);
    await happen(...many(3));
    await pass(SECOND);
    assert.deepEqual(place.arrived.sort(), [0, 2, 3, 4, 5], 'the others');
    const [first] = await deliveries();
    assert.deepEqual([first?.state, first?.attempts, first?.last_error], ['waiting', 1, 'HTTP 500 poison']);
    await pass(2 * DAY, MINUTE);
    const tries = place.attempts.filter(([index]) => index === 1).length;
    assert.equal(tries, MOST_ATTEMPTS);
    assert.deepEqual([...(place.ids.get(1) ?? [])].length, 1, 'the id stays the same at every attempt');
    const [dead, ...rest] = await deliveries();
    assert.deepEqual([dead?.state, dead?.attempts, dead?.next_attempt_at_ms, rest], ['dead', MOST_ATTEMPTS, null, []]);
  }).timeout(20_000);

  it('keeps what failed and then arrived for a week', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => refused('HTTP 500');
    await happen('a.b');
    await pass(SECOND);
    place.answer = () => delivered('ok');
    await pass(MINUTE, SECOND);
    const [one] = await deliveries();
    assert.deepEqual([one?.state, one?.last_error, place.arrived], ['delivered', '', [0]]);
    await notifier.sweep();
    assert.equal((await deliveries()).length, 1);
    clock.advance(durationMs(8 * DAY));
    await notifier.sweep();
    assert.deepEqual(await deliveries(), []);
  });

  it('never gives up what a place out of reach has not taken, and asks it less and less often', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => unreachable('connect ECONNREFUSED');
    await happen(...many(30));
    await pass(10 * MINUTE, SECOND);
    const early = place.attempts.length;
    assert.ok(early < 300, `${early} attempts in ten minutes`);
    assert.ok((await deliveries()).length <= 8, 'what was not tried stays in the log');
    await pass(6 * HOUR, 20 * SECOND);
    assert.ok((await deliveries()).every(({ state }) => state === 'waiting'));
    place.answer = () => delivered('ok');
    await pass(5 * MINUTE, SECOND);
    assert.deepEqual(
      place.arrived.sort((a, b) => a - b),
      [...Array(30).keys()],
    );
    assert.equal((await channel()).last_error, '');
  }).timeout(20_000);

  it('begins nothing new while too much waits for another attempt', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => refused('HTTP 500');
    await happen(...many(300));
    await pass(MINUTE, SECOND);
    const waiting = (await deliveries()).length;
    assert.ok(waiting >= 57 && waiting <= 64, `${waiting}`);
    place.answer = () => delivered('ok');
    await pass(2 * HOUR, 20 * SECOND);
    assert.equal(place.arrived.length, 300);
    assert.equal(new Set(place.arrived).size, 300);
  }).timeout(20_000);

  it('gives a place that asks for a pause the pause', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => ({ kind: 'unreachable', detail: 'HTTP 429', retryAfterMs: 10 * MINUTE });
    await happen('a.b');
    await pass(SECOND);
    const before = place.attempts.length;
    await pass(9 * MINUTE, SECOND);
    assert.equal(place.attempts.length, before);
    await pass(2 * MINUTE, SECOND);
    assert.ok(place.attempts.length > before);
  });

  it('keeps the order where it matters, through an outage that ends in the middle', async () => {
    await makeChannel('syslog');
    await start(true);
    let left = 3;
    place.answer = () => (left-- > 0 ? unreachable('reset') : delivered('ok'));
    await happen(...many(5));
    await pass(SECOND);
    await happen(...many(5));
    const [blocked] = await deliveries();
    assert.deepEqual([blocked?.event_idx, blocked?.state], [0, 'waiting'], 'what the channel waits for can be seen');
    await pass(MINUTE, SECOND);
    assert.deepEqual(place.arrived, [...Array(10).keys()]);
    assert.deepEqual(
      (await deliveries()).map(({ state }) => state),
      ['delivered'],
    );
  });

  it('takes a thousand events in few pieces', async () => {
    await makeChannel('syslog');
    await start(true);
    await happen(...many(1_200));
    await pass(SECOND);
    assert.deepEqual(place.arrived, [...Array(1_200).keys()]);
    assert.ok(place.attempts.length <= 4, `${place.attempts.length} pieces`);
  });

  it('gives up an attempt that hangs, and goes on', async () => {
    await makeChannel('webhook');
    await start(false);
    let hangs = true;
    place.answer = () => (hangs ? new Promise<Outcome>(() => undefined) : delivered('ok'));
    await happen('a.b');
    await pass(11 * SECOND);
    const [one] = await deliveries();
    assert.match(one?.last_error ?? '', /no answer within 10 s/);
    hangs = false;
    await pass(MINUTE, SECOND);
    assert.deepEqual(place.arrived, [0]);
  });

  it('survives a sender that throws, at once or later', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => {
      throw new Error('a bug');
    };
    await happen('a.b');
    await pass(SECOND);
    assert.equal((await deliveries())[0]?.last_error, 'a bug');
    place.answer = () => Promise.reject(new Error('another'));
    await pass(20 * SECOND, SECOND);
    assert.equal((await deliveries())[0]?.last_error, 'another');
  });

  it('goes on after a restart where it stopped: what arrived is not sent again, what did not is', async () => {
    await makeChannel('webhook');
    await start(false);
    await happen(...many(5));
    await pass(SECOND);
    await notifier.stop();
    await happen(...many(5));
    await restart();
    await pass(SECOND);
    assert.deepEqual(
      place.arrived.sort((a, b) => a - b),
      [...Array(10).keys()],
    );
  });

  it('stops at once with an attempt under way, and that one is made again', async () => {
    await makeChannel('syslog');
    await start(true);
    place.answer = () => new Promise<Outcome>(() => undefined);
    await happen('a.b');
    await pass(SECOND);
    assert.equal(place.attempts.length, 1);
    await notifier.stop();
    place.answer = () => delivered('ok');
    await restart();
    await pass(5 * SECOND);
    assert.deepEqual(place.arrived, [0]);
  });

  it('sends nothing twice because the disk is full: it waits until what arrived is written down', async () => {
    await makeChannel('webhook');
    await start(false);
    const write = ledger.write.bind(ledger);
    let full = true;
    ledger.write = (work) =>
      full ? Promise.reject(new CurfewError('STORAGE_FAILED', { detail: 'full' })) : write(work);
    await write(async (tx) => {
      tx.audit({ type: 'a.b', actor: { kind: 'server' }, subject: 's' });
      tx.changed('ledger', 'x');
    });
    await pass(5 * MINUTE, SECOND);
    assert.deepEqual(place.attempts, [[0]]);
    full = false;
    await pass(2 * MINUTE, SECOND);
    assert.deepEqual(place.attempts, [[0]]);
    assert.equal((await channel()).cursor, 1);
  });

  it('sends nothing while it is disabled, and goes on where it stopped', async () => {
    await makeChannel('webhook', { disabled: 1 });
    await start(false);
    await happen(...many(2));
    await pass(10 * SECOND);
    assert.deepEqual(place.attempts, []);
    const { id } = await channel();
    await ledger.write(async ({ db }) => {
      await db.updateTable('channel').set({ disabled: 0 }).execute();
    });
    await notifier.reload(id);
    await pass(SECOND);
    assert.deepEqual(place.arrived.sort(), [0, 1]);
  });

  it('ends when its channel is removed, with an attempt under way', async () => {
    await makeChannel('webhook');
    await start(false);
    place.answer = () => new Promise<Outcome>(() => undefined);
    await happen('a.b');
    await pass(SECOND);
    const { id } = await channel();
    await ledger.write(async ({ db }) => {
      await db.deleteFrom('channel').execute();
    });
    await notifier.reload(id);
    await happen('a.b');
    await pass(MINUTE, SECOND);
    assert.equal(place.attempts.length, 1);
    assert.deepEqual(await deliveries(), []);
  });

  it('writes nothing for a change while that is being answered, and little afterwards', async () => {
    await makeChannel('syslog');
    await start(true);
    let writes = 0;
    const write = ledger.write.bind(ledger);
    ledger.write = (work) => {
      writes++;
      return write(work);
    };
    await happen(...many(400));
    assert.equal(writes, 1, 'the change itself');
    await calm();
    assert.equal(writes, 1, 'nothing before some time has passed');
    await pass(SECOND);
    assert.equal(place.arrived.length, 400);
    assert.equal(writes, 2, 'one note that all has arrived');
  });
});
