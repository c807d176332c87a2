import { signLease, type Clock } from '@curfew/shared';
import type { DesiredSessions } from '../devices/desired-sessions.js';
import type { ServerKeys } from '../pki/server-keys.js';
import { leaseAccount } from './lease-account.js';
import type { DeviceLink } from './device-link.js';

type OfferedSession = DesiredSessions['sessions'][number];

/** What a lease says of its session; another text, another lease. */
export const leaseKey = ({ id, epoch, expiresAtMs }: OfferedSession): string => `${id} ${epoch} ${expiresAtMs}`;

const recordingClaim = ({ recording }: OfferedSession) =>
  recording === null ? {} : { recording: { mode: recording.mode, required: recording.required } };

/** Signs what links are offered, each lease once for a link. */
export class LinkLeases {
  constructor(
    private readonly clock: Clock,
    private readonly keys: ServerKeys,
  ) {}

  /** The lease of a session for a link's process; '' when its time is over. */
  async of(link: DeviceLink, session: OfferedSession, incarnation: number): Promise<string> {
    const key = leaseKey(session);
    const known = link.leases.get(key);
    if (known !== undefined) return known;
    const now = this.clock.now();
    const duration = Math.floor(session.expiresAtMs - now + (this.clock.bootTime() - link.helloAt));
    if (duration <= 0 || session.expiresAtMs <= now) return '';
    const token = await signLease(
      {
        sessionId: session.id,
        deviceKeyHash: link.device.key_hash,
        account: leaseAccount(session.account),
        options: session.options,
        incarnation,
        epoch: session.epoch,
        nonce: link.nonce,
        durationMs: duration,
        wallEndMs: session.expiresAtMs,
        ...(session.offlineEndAfterMs === null ? {} : { offlineEndAfterMs: session.offlineEndAfterMs }),
        ...(session.keepProcesses ? { keepProcesses: true as const } : {}),
        ...recordingClaim(session),
        ...(session.undoChanges ? { undoChanges: true as const } : {}),
        ...(session.desktop ? { desktop: true as const } : {}),
        issuedAtMs: now,
      },
      this.keys.lease.signing,
    );
    link.leases.set(key, token);
    return token;
  }
}
