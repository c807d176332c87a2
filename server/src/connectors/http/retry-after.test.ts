import { instantMs } from '@curfew/shared';
import assert from 'node:assert/strict';
import { rateLimitResetMs, retryAfterMs } from './retry-after.js';

const NOW = instantMs(Date.parse('2026-11-29T12:00:00Z'));
const DAY = 86_400_000;

const WISHES = [
  { name: 'seconds', text: '120', ms: 120_000 },
  { name: 'none at all', text: '0', ms: 0 },
  { name: 'a date', text: 'Sun, 29 Nov 2026 12:00:30 GMT', ms: 30_000 },
  { name: 'a date of the old form', text: 'Sunday, 29-Nov-26 12:01:00 GMT', ms: 60_000 },
  { name: 'a date that is over', text: 'Sun, 29 Nov 2026 11:00:00 GMT', ms: 0 },
  { name: 'a year', text: '31536000', ms: DAY },
  { name: 'a date far away', text: 'Sun, 29 Nov 2099 12:00:00 GMT', ms: DAY },
  { name: 'nothing', text: '', ms: undefined },
  { name: 'a number with a sign', text: '-5', ms: undefined },
  { name: 'a fraction', text: '1.5', ms: undefined },
  { name: 'a number beyond numbers', text: '9'.repeat(400), ms: undefined },
  { name: 'words', text: 'Sun, never', ms: undefined },
] as const;

describe('how long an answer asks to be left alone', () => {
  for (const { name, text, ms } of WISHES)
    it(`is understood: ${name}`, () => {
      assert.equal(retryAfterMs({ 'retry-after': text }, NOW), ms);
    });

  it("is understood in GitHub's words, and only when nothing remains", () => {
    const reset = String(NOW / 1000 + 90);
    assert.equal(rateLimitResetMs({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }, NOW), 90_000);
    assert.equal(rateLimitResetMs({ 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': reset }, NOW), undefined);
    assert.equal(rateLimitResetMs({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': 'soon' }, NOW), undefined);
  });
});
