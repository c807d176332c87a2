import assert from 'node:assert/strict';
import { Lanes } from './lanes.js';
import { Slots } from './slots.js';

describe('calls at once', () => {
  it('are no more than so many, and what takes away goes first', async () => {
    const slots = new Slots(2);
    const order: string[] = [];
    const leave = [await slots.enter(false), await slots.enter(false)];
    const wait = (name: string, isUrgent: boolean) => slots.enter(isUrgent).then((done) => (order.push(name), done));
    const waiting = [wait('give', false), wait('take', true), wait('give later', false)];
    await Promise.resolve();
    assert.deepEqual(order, []);
    leave[0]?.();
    (await waiting[1])?.();
    (await waiting[0])?.();
    (await waiting[2])?.();
    leave[1]?.();
    assert.deepEqual(order, ['take', 'give', 'give later']);
    for (const done of [await slots.enter(false), await slots.enter(false)]) done();
  });
});

describe('lanes', () => {
  it('do one thing after the other, also after one that failed, and the lanes of others at the same time', async () => {
    const lanes = new Lanes();
    const done: string[] = [];
    const gate: { open?: () => void } = {};
    const first = lanes.run('a', async () => {
      await new Promise<void>((resolve) => (gate.open = resolve));
      done.push('a1');
      throw new Error('failed');
    });
    const second = lanes.run('a', async () => {
      done.push('a2');
    });
    await lanes.run('b', async () => {
      done.push('b1');
    });
    gate.open?.();
    await assert.rejects(first, /failed/);
    await second;
    assert.deepEqual(done, ['b1', 'a1', 'a2']);
    await lanes.settled();
  });
});
