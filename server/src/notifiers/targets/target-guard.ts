import { CurfewError } from '@curfew/shared';
import { lookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isLocalAddress } from './local-address.js';

/** Finds the addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** The machine's own way of finding addresses, as for every connection. */
export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true, verbatim: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });

/**
 * Says where connections may go. What is checked is the very address that is connected to, so a name that tells each
 * asker another address gains nothing.
 */
export class TargetGuard {
  constructor(
    private readonly allowLocal: boolean,
    private readonly resolve: Resolve = systemResolve,
    /** What is said of a target that is refused: where it was given, and the option that allows it. */
    private readonly place = { field: 'channel.target', option: 'notifications.allow_local_targets' },
  ) {}

  /** For `lookup` of net, tls, http and https. One local address among many spoils all. Errors: TARGET_NOT_ALLOWED. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    this.addressesOf(host).then(
      (addresses) => {
        const [first] = addresses;
        if (first === undefined) callback(new Error(`${host} has no address`), '', 0);
        else if (options.all === true) callback(null, [...addresses], 0);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as Error, '', 0),
    );
  };

  /** Refuses a host that is itself an address, for which nothing is looked up. Errors: TARGET_NOT_ALLOWED. */
  checkLiteral(host: string): void {
    const address = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(address) !== 0) this.check(host, address);
  }

  /** Refuses a host that is local as of now; one that cannot be found now is let through. Errors: TARGET_NOT_ALLOWED. */
  async checkHost(host: string): Promise<void> {
    this.checkLiteral(host);
    try {
      await this.addressesOf(host.replace(/^\[(.*)\]$/, '$1'));
    } catch (error) {
      if (error instanceof CurfewError) throw error;
    }
  }

  private async addressesOf(host: string): Promise<readonly LookupAddress[]> {
    const addresses = await this.resolve(host);
    for (const { address } of addresses) this.check(host, address);
    return addresses;
  }

  private check(host: string, address: string): void {
    if (!this.allowLocal && isLocalAddress(address))
      throw new CurfewError('TARGET_NOT_ALLOWED', { ...this.place, host, address });
  }
}
