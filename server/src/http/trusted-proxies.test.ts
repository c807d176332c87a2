import assert from 'node:assert/strict';
import { isNetwork, TrustedProxies } from './trusted-proxies.js';

const PROXIES = ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'];
const CALLER = '203.0.113.9';

describe('trusted proxies', () => {
  for (const { name, given = PROXIES, peer, header, says } of [
    { name: 'a proxy on this machine', peer: '127.0.0.1', header: CALLER, says: CALLER },
    { name: 'one in a network', peer: '10.1.2.3', header: CALLER, says: CALLER },
    { name: 'one by IPv6', peer: '::1', header: CALLER, says: CALLER },
    { name: 'one in a network of IPv6', peer: 'fd00:1::7', header: '2001:db8::9', says: '2001:db8::9' },
    { name: 'one whose IPv4 address comes as IPv6', peer: '::ffff:127.0.0.1', header: CALLER, says: CALLER },
    { name: 'one that is named so', given: ['::ffff:10.0.0.1'], peer: '10.0.0.1', header: CALLER, says: CALLER },
    { name: 'a caller whose IPv4 address comes as IPv6', peer: '127.0.0.1', header: `::ffff:${CALLER}`, says: CALLER },
    {
      name: 'a chain: the nearest that is no proxy',
      peer: '::1',
      header: `1.1.1.1, ${CALLER}, 10.0.0.5`,
      says: CALLER,
    },
    { name: 'a chain without spaces', peer: '::1', header: `1.1.1.1,${CALLER},10.0.0.5,fd00::5`, says: CALLER },
    { name: 'garbage before what a proxy has added', peer: '::1', header: `<b>, , ${CALLER}`, says: CALLER },
  ])
    it(`say who calls: ${name}`, () => {
      assert.equal(new TrustedProxies(given).callerBehind(peer, header), says);
    });

  for (const { name, given = PROXIES, peer = '127.0.0.1', header } of [
    { name: 'none is named', given: [], header: CALLER },
    { name: 'the peer is another', peer: '192.0.2.1', header: CALLER },
    { name: 'the peer is another by IPv6', peer: 'fe80::1%eth0', header: CALLER },
    { name: 'the peer is gone', peer: '', header: CALLER },
    { name: 'there is no header', header: undefined },
    { name: 'the header is empty', header: '' },
    { name: 'it is a name', header: `${CALLER}, unknown` },
    { name: 'it has a port', header: `${CALLER}:4711` },
    { name: 'it has brackets', header: '[2001:db8::9]' },
    { name: 'it has a zone', header: 'fe80::1%eth0' },
    { name: 'the nearest is garbage, whatever stands before it', header: `${CALLER}, ${'x'.repeat(10_000)}` },
    { name: 'there are proxies alone', header: '10.0.0.1, fd00::1, 127.0.0.1' },
  ])
    it(`say nothing when ${name}`, () => {
      assert.equal(new TrustedProxies(given).callerBehind(peer, header), undefined);
    });

  it('are addresses and networks', () => {
    for (const text of [...PROXIES, '0.0.0.0/0', '::ffff:10.0.0.1', '2001:DB8::/32']) assert.ok(isNetwork(text), text);
    for (const text of ['', 'proxy', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0/8', 'fe80::1%eth0', '10.0.0.1:80'])
      assert.ok(!isNetwork(text), text);
  });
});
