import { ConnectResponse } from '@curfew/proto';
import type { Logger } from '@curfew/shared';
import type { LeaseKeys } from '../pki/lease-keys.js';
import type { DeviceLink } from './device-link.js';

/** Leads devices from the lease keys that they trust to the newest. */
export class LinkKeys {
  /** The version that the device of each link trusts once it has read what it was sent. */
  private readonly known = new WeakMap<DeviceLink, number>();
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly keys: LeaseKeys,
    private readonly logger: Logger,
    /** Called when this server has taken in keys that it did not know. */
    private readonly refreshed: () => void,
  ) {}

  /**
   * Notes what a device has said that it trusts. If that is newer than what this server has, another server has rotated
   * the keys and could not say so: resolves then, once they are here or cannot be had; else it is undefined at once.
   */
  greet(link: DeviceLink, version: number): Promise<void> | undefined {
    this.known.set(link, version);
    if (version <= this.keys.set.version) return undefined;
    // Many devices may come with them at a time.
    this.refreshing ??= this.refresh().finally(() => (this.refreshing = undefined));
    return this.refreshing;
  }

  /** Sends a device the sets that lead it to the newest, each once; what is sent after may be signed with that. */
  lead(link: DeviceLink): void {
    const { keys, logger } = this;
    const { version } = keys.set;
    const known = this.known.get(link) ?? 0;
    if (known > version)
      logger.error('a device trusts newer lease keys than this server has; its leases will be refused', {
        deviceId: link.device.id,
        version: known,
      });
    for (const signedKeySet of keys.chainAfter(known))
      link.send(ConnectResponse.fromPartial({ message: { $case: 'leaseKeySet', value: { signedKeySet } } }));
    this.known.set(link, Math.max(known, version));
  }

  private async refresh(): Promise<void> {
    try {
      if (await this.keys.refresh()) this.refreshed();
    } catch (error) {
      this.logger.error('the lease keys that a device knows could not be read', { error });
    }
  }
}
