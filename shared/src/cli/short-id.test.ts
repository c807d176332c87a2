import assert from 'node:assert/strict';
import { shortIds } from './short-id.js';

describe('short ids', () => {
  it('keeps eight characters, and more where ids would look the same', () => {
    assert.equal(shortIds(['ses-0123456789abcdefghjk'])('ses-0123456789abcdefghjk'), 'ses-01234567');
    const alike = ['ses-0123456789aaaaaaaaaa', 'ses-0123456789bbbbbbbbbb'];
    assert.deepEqual(alike.map(shortIds(alike)), ['ses-0123456789a', 'ses-0123456789b']);
  });
});
