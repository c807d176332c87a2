import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, parseDuration } from './duration.js';

const good: [string, number][] = [
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['1h30m', 5_400_000],
  ['PT30M', 1_800_000],
  ['P1DT2H', 93_600_000],
  ['PT1H30M5S', 5_405_000],
  ['1d', 86_400_000],
  ['100000s', 100_000_000],
];

/** What people and attackers have typed into other products: none of it may become a time. */
const bad = [
  '',
  '0',
  '0s',
  '0m',
  'PT0S',
  '90',
  '30',
  '-5m',
  '+5m',
  '1.5h',
  '1,5h',
  '1h 30m',
  ' 30m',
  '30m ',
  '30 m',
  '1h30',
  '1e3s',
  '1e12',
  'NaN',
  'Infinity',
  'null',
  'undefined',
  '0x10',
  '0x10s',
  '١٠m',
  '３０m',
  '30M',
  '30min',
  '30 minutes',
  '2w',
  '1y',
  '5ms',
  'm',
  'h',
  'P',
  'PT',
  'P1D2H',
  'P1W',
  'P1M',
  'PT-5M',
  '30m\n',
  '30m;60m',
  '30m\u0000',
  '30m1h',
  '1m1m',
  '9'.repeat(30) + 's',
  '99999999999s',
  '__proto__',
];

describe('duration', () => {
  for (const [text, ms] of good) it(`reads ${text}`, () => assert.equal(parseDuration(text), ms));

  for (const text of bad) it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), undefined));

  it('reads back what it writes, to the second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 * 86_400 }), (seconds) => {
        const text = formatDuration(seconds * 1000);
        const ms = parseDuration(text);
        assert.ok(ms !== undefined, text);
        // Three units are shown, so days hide seconds.
        assert.ok(seconds * 1000 - ms >= 0 && seconds * 1000 - ms < (seconds >= 86_400 ? 60_000 : 1), text);
      }),
    );
  });

  it('never writes a negative time', () => assert.equal(formatDuration(-5_000), '0s'));
});
