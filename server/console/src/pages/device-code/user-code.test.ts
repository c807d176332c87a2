import assert from 'node:assert/strict';
import { userCode } from './user-code.js';

describe('the code of a command line', () => {
  for (const typed of ['BCDF-GHJK', 'bcdf-ghjk', ' bcdfghjk ', 'BCDF GHJK'])
    it(`is read from '${typed}'`, () => {
      assert.equal(userCode(typed), 'BCDF-GHJK');
    });

  for (const typed of ['', 'BCDF', 'BCDF-GHJ', 'BCDF-GHJKL', 'BCDF-GHJ1', '<BCDFGHJK>'])
    it(`is not whole in '${typed}'`, () => {
      assert.equal(userCode(typed), undefined);
    });
});
