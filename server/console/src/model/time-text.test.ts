import assert from 'node:assert/strict';
import { agoText, durationText, leftText, momentText } from './time-text.js';

describe('texts of times', () => {
  const left: readonly (readonly [ms: number, text: string])[] = [
    [0, '0s'],
    [-5_000, '0s'],
    [1, '1s'],
    [9_001, '10s'],
    [59_999, '1m 00s'],
    [1_450_000, '24m 10s'],
    [3_900_000, '1h 05m'],
    [86_400_000, '1d 00h'],
    [183_600_000, '2d 03h'],
  ];
  for (const [ms, text] of left) it(`${ms} ms left is '${text}'`, () => assert.equal(leftText(ms), text));

  it('durations have at most two parts', () => {
    assert.equal(durationText(1_800_000), '30 min');
    assert.equal(durationText(5_400_000), '1 h 30 min');
    assert.equal(durationText(90_061_000), '1 d 1 h');
    assert.equal(durationText(0), '0 s');
  });

  it('what was is told coarsely', () => {
    assert.equal(agoText(59_000), 'just now');
    assert.equal(agoText(60_000), '1 min ago');
    assert.equal(agoText(7_300_000), '2 h ago');
    assert.equal(agoText(3 * 86_400_000), '3 d ago');
  });

  it('a moment has its day when it is not today, and its year when it is another', () => {
    const now = new Date(2026, 10, 29, 12, 0).getTime();
    assert.equal(momentText(new Date(2026, 10, 29, 9, 5).getTime(), now), '09:05');
    assert.equal(momentText(new Date(2026, 10, 28, 9, 5).getTime(), now), '28 Nov, 09:05');
    assert.equal(momentText(new Date(2025, 0, 2, 9, 5).getTime(), now), '2 Jan 2025, 09:05');
  });
});
