import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { recordingLimit } from './recording-limit.js';

describe('the room for recordings', () => {
  it('is a size with a unit, and 256 MiB when nothing is said', () => {
    const sizes = [undefined, '1MiB', '1024KiB', '2GiB'].map((value) => recordingLimit(value));
    assert.deepEqual(sizes, [268_435_456, 1_048_576, 1_048_576, 2_147_483_648]);
  });

  for (const value of ['', '256', '0MiB', '1023KiB', '-1GiB', '1.5GiB', '1TiB', '1 GiB', '1mib', '9999999999GiB'])
    it(`is not '${value}'`, () => {
      assert.throws(
        () => recordingLimit(value),
        (error) =>
          error instanceof CurfewError && error.code === 'CONFIG_INVALID' && error.message.includes(`'${value}'`),
      );
    });
});
