import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { qrModules, qrPath } from './qr-code.js';

const picture = (text: string): string =>
  qrModules(text)
    .map((row) => row.map((isDark) => (isDark ? '#' : '.')).join(''))
    .join('\n');

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('a QR code', () => {
  // Pictures that an independent reader (jsQR) has read back as the text.
  for (const [text, size, hash] of [
    ['a', 21, 'c4315a3129973d42'],
    ['otpauth://totp/Curfew:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Curfew', 37, 'aafeadac6dc9ce14'],
    ['x'.repeat(600), 93, '2fdc07aa54d94f34'],
  ] as const)
    it(`of ${text.length} characters is the one that was read back`, () => {
      assert.equal(qrModules(text).length, size);
      assert.equal(digest(picture(text)), hash);
    });

  it('has its three finder patterns', () => {
    const modules = qrModules('a');
    const finder = (x: number, y: number): string =>
      [0, 1, 2, 3, 4, 5, 6].map((at) => (modules[y + at]?.[x + at] === true ? '#' : '.')).join('');
    for (const [x, y] of [
      [0, 0],
      [14, 0],
      [0, 14],
    ] as const)
      assert.equal(finder(x, y), '#.###.#');
  });

  it('refuses what does not fit', () => {
    assert.throws(() => qrModules('x'.repeat(667)), RangeError);
  });

  it('becomes one path', () => {
    assert.match(qrPath([[true, false]]), /^M0 0h1v1h-1z$/);
  });
});
