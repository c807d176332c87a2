import assert from 'node:assert/strict';
import { equals, memberPath } from './scim-filter.js';

const NAMES = [
  '" or userName pr or userName eq "',
  '\\" or userName pr or userName eq \\"',
  '\\',
  'a"] or [b',
  'a(b)c',
  'a\nb\0c\u0085d\u2028e',
  'half \ud83e',
  'Ω 用户 🧨',
  'x'.repeat(300),
];

describe('filters made of hostile names', () => {
  for (const name of NAMES)
    it(`are one comparison: ${JSON.stringify(name).slice(0, 40)}`, () => {
      const [, text = ''] = /^userName eq ("[^"\\]*(?:\\u[0-9a-f]{4}[^"\\]*)*")$/.exec(equals('userName', name)) ?? [];
      assert.equal(JSON.parse(text), name);
      assert.match(memberPath(name), /^members\[value eq "[^"]*"\]$/);
    });
});
