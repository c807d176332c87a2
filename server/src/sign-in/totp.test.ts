import assert from 'node:assert/strict';
import { toBase32 } from './base32.js';
import { matchTotp, totpCode, totpStep, totpUri } from './totp.js';

const SECRET = Buffer.from('12345678901234567890');

describe('one-time codes', () => {
  // RFC 6238, appendix B, SHA-1.
  for (const [seconds, code] of [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ] as const)
    it(`are those of RFC 6238 at ${seconds} s`, () => {
      assert.equal(totpCode(SECRET, totpStep(seconds * 1000), 8), code);
    });

  // RFC 4226, appendix D.
  for (const [counter, code] of ['755224', '287082', '359152', '969429', '338314', '254676'].entries())
    it(`are those of RFC 4226 for the counter ${counter}`, () => {
      assert.equal(totpCode(SECRET, counter), code);
    });

  it('count for their step, the one before and the one after, and no other', () => {
    const now = 1_000 * 30_000 + 15_000;
    for (const step of [999, 1_000, 1_001]) assert.equal(matchTotp(SECRET, totpCode(SECRET, step), now, 0), step);
    for (const step of [998, 1_002]) assert.equal(matchTotp(SECRET, totpCode(SECRET, step), now, 0), undefined);
  });

  it('count once: neither a step that was used nor one before it counts again', () => {
    const now = 1_000 * 30_000;
    assert.equal(matchTotp(SECRET, totpCode(SECRET, 1_000), now, 1_000), undefined);
    assert.equal(matchTotp(SECRET, totpCode(SECRET, 999), now, 1_000), undefined);
    assert.equal(matchTotp(SECRET, totpCode(SECRET, 1_001), now, 1_000), 1_001);
  });

  for (const odd of ['', '12345', '1234567', ' 755224', '755224 ', '７５５２２４', '-55224', '0x5522', '75522a'])
    it(`are six plain digits, not '${odd}'`, () => {
      assert.equal(matchTotp(SECRET, odd, 0, -2), undefined);
    });

  // RFC 4648, section 10, without padding.
  for (const [text, encoded] of [
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ] as const)
    it(`have their secret in base 32: '${text}' is '${encoded}'`, () => {
      assert.equal(toBase32(Buffer.from(text)), encoded);
    });

  it('have an address in which names are escaped', () => {
    assert.equal(
      totpUri(Buffer.from('foobar'), 'a@b&c', 'Curfew example.com'),
      'otpauth://totp/Curfew%20example.com:a%40b%26c?secret=MZXW6YTBOI&issuer=Curfew+example.com',
    );
  });
});
