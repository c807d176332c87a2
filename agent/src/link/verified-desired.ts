import { EndReason as ProtoEndReason, type DesiredState } from '@curfew/proto';
import {
  CurfewError,
  END_REASONS,
  verifyLease,
  type ErrorCode,
  type LeaseClaims,
  type LeaseKeySet,
  type Logger,
} from '@curfew/shared';
import type { EndNotice, VerifiedDesired } from '../grants/holder.js';

/** A desired state of whose leases only those are left that a pinned key has signed; of the others only why they are not. */
export async function verifyDesired(
  desired: DesiredState,
  keys: LeaseKeySet,
  logger: Logger,
): Promise<VerifiedDesired> {
  const leases: LeaseClaims[] = [];
  const refused: ErrorCode[] = [];
  for (const token of desired.leases)
    try {
      leases.push(await verifyLease(token, keys));
    } catch (error) {
      // Nothing in it can be trusted, not even whose session it names.
      logger.error('a lease was refused', { error });
      refused.push(error instanceof CurfewError ? error.code : 'LEASE_MALFORMED');
    }
  return {
    generation: Number(desired.generation),
    incarnation: Number(desired.incarnation),
    revokedEpoch: Number(desired.revokedEpoch),
    leases,
    refused,
    endNotices: endNotices(desired),
    checkpoint: desired.checkpoint?.note ?? '',
    kept: desired.keptSessionIds,
  };
}

function endNotices(desired: DesiredState): Map<string, EndNotice> {
  const notices = new Map<string, EndNotice>();
  for (const notice of desired.endNotices) {
    const name = ProtoEndReason[notice.reason].toLowerCase();
    const by = notice.endedBy === '' ? '' : `by ${notice.endedBy}`;
    const detail = [by, notice.detail].filter(Boolean).join(': ');
    notices.set(notice.sessionId, { reason: END_REASONS.find((reason) => reason === name) ?? 'revoked', detail });
  }
  return notices;
}
