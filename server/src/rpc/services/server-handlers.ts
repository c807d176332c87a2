import {
  GetOverviewResponse,
  GetServerInfoResponse,
  RotateLeaseKeysResponse,
  type GetOverviewRequest,
  type RotateLeaseKeysRequest,
} from '@curfew/proto';
import type { InstantMs } from '@curfew/shared';
import type { Ledger } from '../../ledger/ledger.js';
import { readMeta } from '../../ledger/ledger-meta.js';
import type { LinkHub } from '../../link/link-hub.js';
import type { Overview } from '../../overview/overview.js';
import type { LeaseKeys } from '../../pki/lease-keys.js';
import { recordLeaseKeys } from '../../pki/record-lease-keys.js';
import { callerActor } from '../../users/caller.js';
import { VERSION } from '../../version.js';
import type { Identity } from '../authenticate.js';
import { callerOf } from '../caller-of.js';

export interface ServerHandlerParts {
  readonly ledger: Ledger;
  readonly hub: LinkHub;
  readonly overview: Overview;
  readonly leaseKeys: LeaseKeys;
  readonly caFingerprint: string;
  readonly startedAt: InstantMs;
}

export function serverHandlers({ ledger, hub, overview, leaseKeys, caFingerprint, startedAt }: ServerHandlerParts) {
  return {
    getServerInfo: async () => {
      const meta = await ledger.read((db) => readMeta(db));
      return GetServerInfoResponse.fromPartial({
        version: VERSION,
        incarnation: BigInt(meta.incarnation),
        rolledBack: meta.rolledBack !== '',
        startTime: new Date(startedAt),
        linkedDevices: hub.linkedDevices.length,
        caFingerprint,
        leaseKeySetVersion: BigInt(leaseKeys.set.version),
      });
    },
    getOverview: async (_: GetOverviewRequest, identity: Identity) =>
      GetOverviewResponse.fromPartial(await overview.of(callerOf(identity))),
    rotateLeaseKeys: async (_: RotateLeaseKeysRequest, identity: Identity) => {
      const caller = callerOf(identity);
      const { version } = await leaseKeys.rotate();
      // What is signed from here on is signed with the new key, so devices hear of it first.
      const sentTo = hub.leaseKeysRotated();
      await recordLeaseKeys(ledger, leaseKeys, callerActor(caller));
      return RotateLeaseKeysResponse.fromPartial({ leaseKeySetVersion: BigInt(version), sentTo });
    },
  };
}
