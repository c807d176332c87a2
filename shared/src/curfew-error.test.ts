import assert from 'node:assert/strict';
import { CurfewError, isErrorCode, isRetryable } from './curfew-error.js';
import { ERRORS, type ErrorCode } from './errors.js';

describe('errors', () => {
  it('fill their fields in and keep their cause', () => {
    const cause = new Error('socket closed');
    const error = new CurfewError('FIELD_INVALID', { field: 'reason', problem: 'must not be empty' }, { cause });
    assert.equal(error.message, 'reason: must not be empty');
    assert.equal(error.status, 'INVALID_ARGUMENT');
    assert.equal(error.cause, cause);
  });

  it('do not expand what stands in a field', () => {
    assert.equal(new CurfewError('USER_NOT_FOUND', { given: '{given}$&' }).message.includes('{given}$&'), true);
  });

  it('are retryable only where the table says so', () => {
    assert.equal(isRetryable(new CurfewError('SERVER_UNREACHABLE', { address: 'a', detail: 'b' })), true);
    assert.equal(isRetryable(new CurfewError('NOT_SIGNED_IN')), false);
    assert.equal(isRetryable(new Error('unknown')), false);
  });

  it('know their codes, and no inherited name', () => {
    assert.equal(isErrorCode('NOT_SIGNED_IN'), true);
    assert.equal(isErrorCode('constructor'), false);
  });

  for (const code of Object.keys(ERRORS) as ErrorCode[])
    it(`${code} has a message in lower case without a full stop`, () => {
      const { template } = ERRORS[code];
      assert.match(template, /^[{a-z'0-9]/);
      assert.doesNotMatch(template, /\.$/);
    });
});
