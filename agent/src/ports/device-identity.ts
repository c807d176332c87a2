import type { LeaseKeySet } from '@curfew/shared';

/** What enrolment left on the device. Kept in the root-only state folder; the key never leaves it. */
export interface DeviceIdentity {
  readonly deviceId: string;
  readonly deviceName: string;
  /** HOST:PORT of the server. */
  readonly serverAddress: string;
  /** The pinned CA certificate, PEM. */
  readonly caCertificate: string;
  /** The device's private key, PKCS #8 PEM. */
  readonly privateKey: string;
  /** The device's certificate, PEM. */
  readonly certificate: string;
  /** Lower-case hex SHA-256 of the public key (SubjectPublicKeyInfo, DER): what leases name. */
  readonly keyHash: string;
  /** The pinned keys that leases are signed with. */
  readonly leaseKeys: LeaseKeySet;
  /** The pinned verification key of the audit log, C2SP signed-note form. */
  readonly auditKey: string;
}

/** Where the identity is kept. */
export interface IdentityStore {
  load(): Promise<DeviceIdentity | undefined>;
  /** Replaces it atomically; 0600, owned by root. */
  save(identity: DeviceIdentity): Promise<void>;
}
