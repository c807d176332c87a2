import assert from 'node:assert/strict';
import { PushQueue } from './push-queue.js';

const ids = (count: number): string[] => Array.from({ length: count }, (_, at) => `dev-${at}`);

describe('the queue of what devices are told', () => {
  it('has a revoke first, however many grants came before it', () => {
    const queue = new PushQueue();
    for (const id of ids(10_000)) queue.add(id, 'state');
    queue.add('dev-9999', 'loss');
    assert.deepEqual(queue.next(), { states: ['dev-9999'], requests: [] });
    assert.equal(queue.size, 9_999, 'the device was told of the rest as well');
  });

  it('makes room for a revoke after a few others, also while they are told', () => {
    const queue = new PushQueue();
    for (const id of ids(10_000)) queue.add(id, 'state');
    const before = queue.next().states;
    assert.ok(before.length <= 100, `${before.length} at once`);
    queue.add('dev-5000', 'loss');
    assert.deepEqual(queue.next().states, ['dev-5000']);
    assert.deepEqual(queue.next().states[0], 'dev-100', 'then it goes on');
  });

  it('tells of requests beside states, never instead of a loss', () => {
    const queue = new PushQueue();
    queue.add('dev-1', 'requests');
    queue.add('dev-2', 'loss');
    queue.add('dev-3', 'state');
    assert.deepEqual(queue.next(), { states: ['dev-2'], requests: [] });
    assert.deepEqual(queue.next(), { states: ['dev-3'], requests: ['dev-1'] });
    assert.deepEqual([queue.next(), queue.size], [{ states: [], requests: [] }, 0]);
  });

  it('holds each device once, however often it changes', () => {
    const queue = new PushQueue();
    for (let times = 0; times < 10_000; times++)
      for (const push of ['loss', 'state', 'requests'] as const) queue.add('dev-1', push);
    assert.equal(queue.size, 3);
  });
});
