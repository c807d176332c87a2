import assert from 'node:assert/strict';
import { takeSome } from './take-some.js';

describe('taking some of a set', () => {
  it('takes the first, and leaves the rest in their order', () => {
    const set = new Set([1, 2, 3, 4, 5]);
    assert.deepEqual(takeSome(set, 2), [1, 2]);
    assert.deepEqual([...set], [3, 4, 5]);
    assert.deepEqual(takeSome(set, 3), [3, 4, 5]);
    assert.deepEqual(takeSome(set, 3), []);
  });

  it('takes all where there are fewer', () => {
    const set = new Set(['a']);
    assert.deepEqual(takeSome(set, 10), ['a']);
    assert.equal(set.size, 0);
  });
});
