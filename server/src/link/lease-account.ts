import type { LeaseClaims } from '@curfew/shared';
import { uidOfNumber } from '../sessions/account-number.js';
import type { AccountIdentity } from '../sessions/session-record.js';

/** An account as a lease names it: by its uid, or on Windows by its SID. */
export const leaseAccount = ({ name, uid, sid = '', fingerprint }: AccountIdentity): LeaseClaims['account'] => ({
  name,
  uid: uidOfNumber(uid) ?? null,
  sid,
  fingerprint,
});
