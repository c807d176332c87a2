import assert from 'node:assert/strict';
import { FIRST_PAGE, pageAfter, pageBefore } from './page-tokens.js';

describe('the pages of a list', () => {
  it('are walked one by one, and back', () => {
    const third = pageAfter(pageAfter(FIRST_PAGE, 'b'), 'c');
    assert.deepEqual(third, ['', 'b', 'c']);
    assert.deepEqual(pageBefore(third), ['', 'b']);
    assert.deepEqual(pageBefore(FIRST_PAGE), FIRST_PAGE);
  });

  it('are not counted before they are there, however often one asks for the next', () => {
    const second = pageAfter(FIRST_PAGE, 'b');
    assert.deepEqual(pageAfter(second, 'b'), ['', 'b']);
    assert.deepEqual(pageAfter(second, ''), ['', 'b']);
  });
});
