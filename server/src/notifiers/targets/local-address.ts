import { BlockList, isIP } from 'node:net';

/** What belongs to this machine, its link or nobody: IPv4, also inside IPv6 addresses that stand for IPv4 ones. */
const IPV4_RANGES = [
  ['0.0.0.0', 8], // this host (RFC 1122)
  ['127.0.0.0', 8], // loopback
  ['169.254.0.0', 16], // link-local, where clouds put their metadata
  ['192.0.0.192', 32], // Oracle's metadata
  ['100.100.100.200', 32], // Alibaba's metadata
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
] as const;

const IPV6_RANGES = [
  ['::', 96], // unspecified, loopback, and the old form that stands for IPv4
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local, given up
  ['ff00::', 8], // multicast
  ['fd00:ec2::254', 128], // AWS's metadata
] as const;

/** Prefixes behind which an IPv4 address stands, in bits: NAT64 (RFC 6052) and 6to4 (RFC 3056). */
const EMBEDDED = [
  { bits: 96, write: (hex: string): string => `64:ff9b::${hex}` },
  { bits: 16, write: (hex: string): string => `2002:${hex}::` },
] as const;

const blocked = new BlockList();
for (const [address, bits] of IPV4_RANGES) {
  blocked.addSubnet(address, bits, 'ipv4');
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  for (const { bits: before, write } of EMBEDDED) blocked.addSubnet(write(hex), before + bits, 'ipv6');
}
for (const [address, bits] of IPV6_RANGES) blocked.addSubnet(address, bits, 'ipv6');

/**
 * Whether an address is one of this machine's own loopback, of its link, unspecified, multicast or reserved. What is no
 * address counts as one. IPv4 addresses in IPv6 form are seen through.
 */
export function isLocalAddress(address: string): boolean {
  const [bare = ''] = address.split('%');
  const family = isIP(bare);
  if (family === 0) return true;
  // A check of an IPv4-mapped address goes by the IPv4 rules.
  return blocked.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}
