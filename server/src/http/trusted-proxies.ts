import { BlockList, isIP, type IPVersion } from 'node:net';

/** An address, or a network such as 10.0.0.0/8 or fd00::/8. */
interface Network {
  readonly address: string;
  readonly family: IPVersion;
  /** Undefined for one address alone. */
  readonly bits: number | undefined;
}

/** The network that a text names; undefined when it names none. */
function networkOf(text: string): Network | undefined {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits ?? 0) > (version === 4 ? 32 : 128)) return undefined;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return { address, family, bits: bits === undefined ? undefined : Number(bits) };
}

/** Whether a text is an address or a network. */
export const isNetwork = (text: string): boolean => networkOf(text) !== undefined;

/** An address as it is compared: an IPv4 address is one in the form of IPv6 too. */
const plain = (address: string): string => address.trim().replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** Proxies that are believed when they say whom they speak for. */
export class TrustedProxies {
  private readonly networks = new BlockList();

  /** Addresses and networks; what is none is left out. */
  constructor(given: readonly string[]) {
    for (const text of given) {
      const network = networkOf(plain(text));
      if (network?.bits === undefined) {
        if (network !== undefined) this.networks.addAddress(network.address, network.family);
      } else this.networks.addSubnet(network.address, network.bits, network.family);
    }
  }

  /**
   * The address of who calls, as the proxy at `peer` has it in X-Forwarded-For: the last one there that is no trusted proxy
   * itself, since only what these have added is true. Undefined when the peer is not trusted, or has not said it.
   */
  callerBehind(peer: string, forwardedFor: string | undefined): string | undefined {
    if (forwardedFor === undefined || !this.trusts(plain(peer))) return undefined;
    for (const entry of forwardedFor.split(',').reverse()) {
      const address = plain(entry);
      if (isIP(address) === 0 || address.includes('%')) return undefined;
      if (!this.trusts(address)) return address;
    }
    return undefined;
  }

  private trusts(address: string): boolean {
    const [bare = ''] = address.split('%');
    const version = isIP(bare);
    return version !== 0 && this.networks.check(bare, version === 4 ? 'ipv4' : 'ipv6');
  }
}
