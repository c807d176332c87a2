import assert from 'node:assert/strict';
import { ConnectorError } from '../connector.js';
import { jsonAddress } from './json-address.js';

const BASE = new URL('https://scim.example.com/scim/v2/');
const BELOW = 'https://scim.example.com/scim/v2/Users/';

const NAMES = [
  { name: '../../admin', segment: '..%2F..%2Fadmin' },
  { name: '%2e%2e', segment: '%252e%252e' },
  { name: '..%2f', segment: '..%252f' },
  { name: 'a?b#c', segment: 'a%3Fb%23c' },
  { name: 'a\\b', segment: 'a%5Cb' },
  { name: 'a\r\nHost: evil', segment: 'a%0D%0AHost%3A%20evil' },
  { name: 'a\0b', segment: 'a%00b' },
  { name: '//evil.example.com', segment: '%2F%2Fevil.example.com' },
  { name: 'x'.repeat(300), segment: 'x'.repeat(300) },
] as const;

describe('addresses of things by hostile names', () => {
  for (const { name, segment } of NAMES)
    it(`stay where they belong: ${JSON.stringify(name).slice(0, 40)}`, () => {
      const url = jsonAddress(BASE, { path: ['Users', name] });
      assert.equal(url.href, BELOW + segment);
      assert.equal(decodeURIComponent(url.pathname.split('/').at(-1) ?? ''), name);
    });

  for (const name of ['', '.', '..', 'x'.repeat(2_001), 'half \ud83e'])
    it(`are refused: ${JSON.stringify(name).slice(0, 40)}`, () => {
      const refused = (error: unknown): boolean => error instanceof ConnectorError && error.kind === 'refused';
      assert.throws(() => jsonAddress(BASE, { path: ['Users', name] }), refused);
    });

  it('hold values of a query as values', () => {
    const filter = 'userName eq "a&count=9#\0"';
    const url = jsonAddress(BASE, { path: ['Users'], query: { filter, count: '1' } });
    assert.deepEqual(
      [...url.searchParams],
      [
        ['filter', filter],
        ['count', '1'],
      ],
    );
    assert.equal(url.hash, '');
  });
});
