import assert from 'node:assert/strict';
import { browserName } from './browser-name.js';

const table = [
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox 140'],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    'Chromium 156',
  ],
  ['Mozilla/5.0 AppleWebKit/537.36 Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0', 'Edge 150'],
  ['Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/26.1 Safari/605.1.15', 'Safari 26'],
  ['curfewctl on build-1', 'curfewctl'],
  ['', 'unknown'],
] as const;

describe('the name of a browser', () => {
  for (const [userAgent, name] of table)
    it(`is ${name} for '${userAgent.slice(-30)}'`, () => {
      assert.equal(browserName(userAgent), name);
    });

  it('is cut where it is unknown and long', () => {
    assert.equal(browserName('x'.repeat(500)).length, 60);
  });
});
