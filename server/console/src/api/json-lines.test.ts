import assert from 'node:assert/strict';
import { LineCutter } from './json-lines.js';

describe('lines of a stream', () => {
  it('come out whole, however they are cut, without the empty ones that only show life', () => {
    const cutter = new LineCutter();
    const text = '{"a":1}\n\n{"b":2}\n\n\n{"c":3}\n';
    const lines = Array.from(text).flatMap((letter) => cutter.push(letter));
    assert.deepEqual(lines, ['{"a":1}', '{"b":2}', '{"c":3}']);
  });

  it('wait for their end', () => {
    const cutter = new LineCutter();
    assert.deepEqual(cutter.push('{"a"'), []);
    assert.deepEqual(cutter.push(':1}\n{'), ['{"a":1}']);
  });
});
