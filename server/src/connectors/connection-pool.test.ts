import { durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ConnectionPool } from './connection-pool.js';
import { ConnectorError } from './connector.js';

interface FakeConnection {
  readonly number: number;
  isOpen: boolean;
  answers: number;
}

const HALF_A_MINUTE = durationMs(30_000);
const never = new AbortController().signal;
const unreachable = () => new ConnectorError('unreachable', 'lost');
const refused = () => new ConnectorError('refused', 'no');

describe('a pool of connections', () => {
  let clock: ManualClock;
  let opened: FakeConnection[];
  let pool: ConnectionPool<FakeConnection>;

  beforeEach(() => {
    clock = new ManualClock();
    opened = [];
    pool = new ConnectionPool<FakeConnection>({
      clock,
      open: () => {
        const connection = { number: opened.length + 1, isOpen: true, answers: 0 };
        opened.push(connection);
        return Promise.resolve(connection);
      },
      isOpen: (connection) => connection.isOpen,
      answers: (connection) => connection.answers,
      destroy: (connection) => {
        connection.isOpen = false;
      },
    });
  });
  const number = () => pool.use(never, (connection) => Promise.resolve(connection.number));
  const states = () => opened.map(({ isOpen }) => isOpen);

  it('uses a connection again, by one call at a time', async () => {
    assert.deepEqual([await number(), await number()], [1, 1]);
    assert.deepEqual(await Promise.all([number(), number()]), [1, 2]);
  });

  it('keeps a connection whose resource refuses, and none that is lost', async () => {
    await assert.rejects(
      pool.use(never, () => Promise.reject(refused())),
      { kind: 'refused' },
    );
    assert.deepEqual(states(), [true]);
    const fresh = pool.use(never, () => Promise.reject(unreachable()));
    await assert.rejects(fresh, { kind: 'unreachable' });
    assert.deepEqual(states(), [false, false], 'the idle one was lost, and so was the fresh one');
  });

  it('does the work once more when the connection that had been idle turns out to be lost, and only then', async () => {
    await number();
    const tried: number[] = [];
    const result = await pool.use(never, (connection) => {
      tried.push(connection.number);
      return connection.number === 1 ? Promise.reject(unreachable()) : Promise.resolve('done');
    });
    assert.deepEqual([result, tried], ['done', [1, 2]]);
    tried.length = 0;
    await assert.rejects(
      pool.use(never, (connection) => {
        tried.push(connection.number);
        return Promise.reject(refused());
      }),
      { kind: 'refused' },
    );
    assert.deepEqual(tried, [2]);
  });

  it('does not do it once more when the connection is lost after an answer: what followed may have been carried out', async () => {
    await number();
    let tried = 0;
    const lostLate = pool.use(never, (connection) => {
      tried++;
      connection.answers++;
      return Promise.reject(unreachable());
    });
    await assert.rejects(lostLate, { kind: 'unreachable' });
    assert.deepEqual([tried, states()], [1, [false]]);
  });

  it('destroys the connection of a call that is stopped, does not try again, and harms no other call', async () => {
    await Promise.all([number(), number()]);
    const stop = new AbortController();
    let finish: (text: string) => void = () => undefined;
    const other = pool.use(never, () => new Promise<string>((resolve) => (finish = resolve)));
    const stopped = pool.use(stop.signal, () => new Promise<string>(() => undefined));
    stop.abort();
    await assert.rejects(stopped, { name: 'ConnectorError', kind: 'unreachable' });
    finish('done');
    assert.equal(await other, 'done');
    assert.deepEqual([opened.length, states().filter(Boolean).length], [2, 1]);
    await assert.rejects(
      pool.use(AbortSignal.abort(), () => assert.fail('it ran')),
      { kind: 'unreachable' },
    );
  });

  it('lets a connection go that nobody has used for half a minute, and all when it is closed', async () => {
    await Promise.all([number(), number()]);
    clock.advance(durationMs(HALF_A_MINUTE - 1));
    assert.equal(await number(), 2);
    clock.advance(durationMs(1));
    assert.deepEqual(states(), [false, true]);
    const busy = pool.use(never, async () => pool.close());
    await busy;
    assert.deepEqual(states(), [false, false]);
    assert.equal(clock.armed, 0);
  });
});
