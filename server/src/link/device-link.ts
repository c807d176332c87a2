import type { ConnectResponse } from '@curfew/proto';
import type { BootMs, CurfewError } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';

/** One live link, as the hub sees it. */
export interface DeviceLink {
  readonly device: DeviceRow;
  readonly instance: string;
  readonly nonce: string;
  /** The server's boot clock when the hello arrived: the other end of the lease's duration. */
  readonly helloAt: BootMs;
  /** Whether by its hello the device has seen what the ledger has lost: its generations count another history. */
  readonly isAhead: boolean;
  send(response: ConnectResponse): void;
  close(error: CurfewError): void;
  /** Whether the device was enrolled anew since: what is here has a few moments to let go. */
  isFormer?: true;
  /** Leases that were signed for this nonce and are still offered. */
  readonly leases: Map<string, string>;
}
