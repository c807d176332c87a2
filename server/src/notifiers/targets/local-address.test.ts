import assert from 'node:assert/strict';
import { isLocalAddress } from './local-address.js';

const LOCAL = [
  ['loopback', '127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1'],
  ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
  ['link-local', '169.254.169.254', '169.254.0.1', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
  ['multicast', '224.0.0.1', '239.255.255.250', 'ff02::1', 'ff0e::1'],
  ['reserved and broadcast', '240.0.0.1', '255.255.255.255', 'fec0::1'],
  [
    'IPv4 inside IPv6',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '::ffff:0.0.0.0',
  ],
  ['the old form of that', '::127.0.0.1', '::7f00:1'],
  [
    'NAT64 and 6to4 of those',
    '64:ff9b::127.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    '2002:e000:1::',
  ],
  ['metadata services', 'fd00:ec2::254', '100.100.100.200', '192.0.0.192'],
  ['what is no address', '', 'localhost', '127.1', '0x7f000001', '2130706433', '0177.0.0.1', '::ffff:127.0.0.1.'],
] as const;

const OTHERS = [
  ['public', '93.184.216.34', '8.8.8.8', '2606:2800:220:1::1', '128.0.0.1', '126.255.255.255', '223.255.255.255'],
  ['private, where receivers of one’s own are', '10.0.0.1', '172.16.0.1', '192.168.1.1', 'fd12:3456::1', '100.64.0.1'],
  ['near a border', '1.0.0.0', '169.253.255.255', '169.255.0.0', 'fe7f::1', 'fd00:ec2::253'],
  ['of others inside IPv6', '::ffff:10.0.0.1', '64:ff9b::808:808', '2002:808:808::1'],
] as const;

describe('addresses of the machine itself', () => {
  for (const [name, ...addresses] of LOCAL)
    it(`are known: ${name}`, () => {
      for (const address of addresses) assert.equal(isLocalAddress(address), true, address);
    });

  for (const [name, ...addresses] of OTHERS)
    it(`are told from others: ${name}`, () => {
      for (const address of addresses) assert.equal(isLocalAddress(address), false, address);
    });
});
