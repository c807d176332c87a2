import assert from 'node:assert/strict';
import { protoJson } from './proto-json.js';

describe('proto JSON', () => {
  for (const [duration, text] of [
    [{ seconds: '1800' }, '1800s'],
    [{}, '0s'],
    [{ seconds: '1', nanos: 500_000_000 }, '1.500s'],
    [{ nanos: 1 }, '0.000000001s'],
    [{ seconds: '-1', nanos: -250_000 }, '-1.000250s'],
  ] as const)
    it(`writes ${JSON.stringify(duration)} as ${text}`, () =>
      assert.deepEqual(protoJson({ list: [{ duration, id: 'x' }] }), { list: [{ duration: text, id: 'x' }] }));

  it('leaves everything else alone', () => {
    const value = { seconds: '3', duration: 'a text', nothing: null, flag: true };
    assert.deepEqual(protoJson(value), value);
  });
});
