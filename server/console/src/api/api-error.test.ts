import assert from 'node:assert/strict';
import { ApiError, connectionLost, failureTitle, wasRefused } from './api-error.js';

const answered = (code: string, status: number): ApiError => new ApiError(code, 'words', undefined, status);

const CASES = [
  { name: 'a refusal of the server', error: answered('METHOD_NOT_ALLOWED', 403), refused: true },
  { name: 'a state that does not fit', error: answered('SESSION_NOT_LIVE', 409), refused: true },
  { name: 'too many calls', error: answered('TOO_MANY_CALLS', 429), refused: true },
  { name: 'a ledger that could not be used', error: answered('LEDGER_UNAVAILABLE', 503), refused: true },
  { name: 'a ledger that was lost while it wrote', error: answered('LEDGER_OUTCOME_UNKNOWN', 503), refused: false },
  { name: 'an error inside of the server', error: answered('INTERNAL', 500), refused: false },
  { name: 'no answer', error: connectionLost(), refused: false },
  { name: 'half an answer', error: new TypeError('network error'), refused: false },
] as const;

describe('what failed', () => {
  for (const { name, error, refused } of CASES)
    it(`is ${refused ? 'known not to be done' : 'not known to be done or not'} after ${name}`, () => {
      assert.equal(wasRefused(error), refused);
      assert.equal(
        failureTitle(error, 'Nothing was given'),
        refused ? 'Nothing was given' : 'It is not known whether this was done',
      );
    });
});
