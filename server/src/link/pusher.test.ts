import { durationMs, ManualClock, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { nextTurn } from '../next-turn.js';
import { Pusher } from './pusher.js';

function setUp() {
  const clock = new ManualClock();
  const done: string[] = [];
  /** What fails: 'ledger', or what a device is told. */
  const broken = new Set<string>();
  const linked = new Set(['dev-1', 'dev-2', 'dev-3']);
  const attempt = async (what: string): Promise<void> => {
    done.push(broken.has(what) ? `${what} failed` : what);
    if (broken.has(what)) throw new Error(what);
  };
  const pusher = new Pusher({
    clock,
    logger: silentLogger,
    isLinked: (id) => linked.has(id),
    desired: async (ids) => {
      if (broken.has('ledger')) await attempt('ledger');
      return ids.map((id) => ({ device: { id } }));
    },
    tellState: ({ device }) => attempt(`state of ${device.id}`),
    tellRequests: (id) => attempt(`requests of ${id}`),
  });
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
  };
  const pass = async (ms: number): Promise<void> => {
    clock.advance(durationMs(ms));
    await settled();
  };
  return { done, broken, linked, pusher, settled, pass };
}

describe('the pusher', () => {
  it('tells everybody again a moment after the ledger could not be read, once, and with them what came meanwhile', async () => {
    const { done, broken, pusher, settled, pass } = setUp();
    broken.add('ledger');
    pusher.add('dev-1', 'loss');
    pusher.start();
    await settled();
    pusher.add('dev-2', 'state');
    pusher.start();
    await settled();
    assert.deepEqual(done, ['ledger failed'], 'the ledger is not asked over and over');
    broken.clear();
    await pass(1_000);
    assert.deepEqual(done.slice(1), ['state of dev-1', 'state of dev-2']);
    await pass(60_000);
    assert.deepEqual([done.length, pusher.size], [3, 0]);
  });

  it('tells the others of a round, and again only those whom it could not tell', async () => {
    const { done, broken, pusher, settled, pass } = setUp();
    broken.add('state of dev-1').add('requests of dev-3');
    for (const id of ['dev-1', 'dev-2']) pusher.add(id, 'state');
    pusher.add('dev-3', 'requests');
    pusher.start();
    await settled();
    assert.deepEqual(done, ['state of dev-1 failed', 'state of dev-2', 'requests of dev-3 failed']);
    broken.clear();
    await pass(1_000);
    assert.deepEqual(done.slice(3), ['state of dev-1', 'requests of dev-3']);
  });

  it('lets those go whose link is lost: they are told with the next one', async () => {
    const { done, broken, linked, pusher, settled, pass } = setUp();
    broken.add('ledger');
    pusher.add('dev-1', 'state');
    linked.clear();
    pusher.start();
    await settled();
    broken.clear();
    await pass(60_000);
    assert.deepEqual([done, pusher.size], [['ledger failed'], 0]);
  });
});
