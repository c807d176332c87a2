/** How far a device has come with a release. */
export type DeviceUpdateState =
  'unspecified' | 'fetching' | 'waiting' | 'trying' | 'installed' | 'refused' | 'rolled_back' | 'missing';

/** Releases and rollouts in the ledger. Instants are milliseconds since the Unix epoch. */
export interface ReleaseTables {
  release: {
    id: string;
    version: string;
    platform: string;
    arch: string;
    size: number;
    sha256: string;
    /** The key that it names. Nothing here has checked it. */
    key_id: string;
    statement: string;
    /** How many bytes of its archive have come. */
    received: number;
    created_by: string;
    created_at_ms: number;
  };
  rollout: {
    id: string;
    version: string;
    state: 'running' | 'paused' | 'finished';
    /** Why it is paused; '' while it is not. */
    reason: string;
    percent: number;
    /** A JSON list of ids. */
    device_ids: string;
    started_by: string;
    started_at_ms: number;
  };
}
