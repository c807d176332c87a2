import assert from 'node:assert/strict';
import { allowedNames, isAllowedHost } from './allowed-hosts.js';

describe('the names that a browser may call the console by', () => {
  const names = allowedNames(['Curfew.Example.Com'], 'https://public.example.com:8443', ['vm']);

  for (const host of [
    'localhost',
    'localhost:7080',
    'LOCALHOST',
    '127.0.0.1:7080',
    '[::1]:7080',
    'curfew.example.com',
    'curfew.example.com.',
    'public.example.com:8443',
    'vm:7080',
    '192.0.2.7:7080',
  ])
    it(`are ours: ${host}`, () => assert.ok(isAllowedHost(host, names, '::ffff:192.0.2.7')));

  for (const host of [
    undefined,
    '',
    'evil.example',
    'curfew.example.com.evil.example',
    'xcurfew.example.com',
    '192.0.2.8',
    '[2001:db8::1]',
    'curfew.example.com@evil.example',
    'curfew.example.com:x',
    'a b',
    '2130706433',
    '127.1',
    '..',
    '[::1',
    '::1',
  ])
    it(`are not: ${host ?? 'none'}`, () => assert.ok(!isAllowedHost(host, names, '::ffff:192.0.2.7')));
});
