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
import type { EndNotice, VerifiedDesired } from '../grants/verified-state.js';

/**
 * A desired state of whose leases only those are left that a pinned key has signed; of the others only why they are not.
 * Errors: FIELD_INVALID for numbers that no ledger counts to: taken for a floor, nothing would ever be above it again.
 */
export async function verifyDesired(
  desired: DesiredState,
  keys: LeaseKeySet,
  logger: Logger,
): Promise<VerifiedDesired> {
  const numbers = counted(desired);
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
    ...numbers,
    leases,
    refused,
    endNotices: endNotices(desired),
    checkpoint: desired.checkpoint?.note ?? '',
    kept: desired.keptSessionIds,
  };
}

const COUNTED = ['generation', 'incarnation', 'revokedEpoch'] as const;

function counted(desired: DesiredState): Record<(typeof COUNTED)[number], number> {
  const numbers = COUNTED.map((field) => [field, Number(desired[field])] as const);
  for (const [field, value] of numbers)
    if (!Number.isSafeInteger(value) || value < 0)
      throw new CurfewError('FIELD_INVALID', { field, problem: 'is a number that no ledger counts to' });
  return Object.fromEntries(numbers) as Record<(typeof COUNTED)[number], number>;
}

function endNotices(desired: DesiredState): Map<string, EndNotice> {
  const notices = new Map<string, EndNotice>();
  for (const notice of desired.endNotices) {
    // A server of a later version may know reasons that this agent does not: that keeps nothing from ending.
    const name = (ProtoEndReason as unknown as Record<number, string | undefined>)[notice.reason]?.toLowerCase();
    const by = notice.endedBy === '' ? '' : `by ${notice.endedBy}`;
    const detail = [by, notice.detail].filter(Boolean).join(': ');
    const reason = END_REASONS.find((known) => known === name) ?? 'revoked';
    notices.set(notice.sessionId, { reason, detail, requestId: notice.requestId.slice(0, 64) });
  }
  return notices;
}
