import { systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { requestIdOf } from './request-id.js';

describe('the id of a request', () => {
  for (const given of [
    'ticket-4711',
    '0af7651916cd43dd8448eb211c80319c',
    '3f0e9a52-5f7e-4a6b-9d0c-1c2d3e4f5a6b',
    'A'.repeat(64),
  ])
    it(`is the caller's own: ${given}`, () => {
      assert.equal(requestIdOf(given, systemRandom), given);
    });

  for (const { name, given } of [
    { name: 'missing', given: undefined },
    { name: 'too short', given: 'abc' },
    { name: 'too long', given: 'a'.repeat(65) },
    { name: 'of several lines', given: 'abcdefgh\nlevel: error' },
    { name: 'of other signs', given: 'abcdefgh"}' },
    { name: 'an option', given: '--abcdefgh' },
    { name: 'there twice', given: ['abcdefgh', 'ijklmnop'] },
  ])
    it(`is made anew where it is ${name}`, () => {
      const made = requestIdOf(given, systemRandom);
      assert.match(made, /^[0-9a-f]{16}$/);
      assert.notEqual(made, requestIdOf(given, systemRandom));
    });
});
