import { DAY } from '@curfew/shared';
import type { DeviceRow } from '../devices/find-device.js';
import type { LedgerReader } from '../ledger/ledger.js';
import { heldUntil } from '../sessions/offline-end.js';
import type { UserRecord } from '../users/users.js';
import type { AskFacts, DeviceFacts, PolicyFacts, UsedTime } from './policy-facts.js';
import type { Policy } from './policy-spec.js';

type Asker = Pick<UserRecord, 'id' | 'name' | 'display_name' | 'email' | 'role' | 'groups'>;

/** What the policies need to know of a person, a device's account or a resource, and what is asked, as it stands now. */
export async function loadFacts(
  db: LedgerReader,
  who: { readonly user: Asker; readonly target: PolicyFacts['target'] },
  ask: AskFacts,
  policies: readonly Policy[],
  nowMs: number,
): Promise<PolicyFacts> {
  const used = await usedUnder(db, who.user.id, policies, nowMs);
  return { user: userFacts(who.user), target: who.target, ask, used };
}

export const userFacts = (user: Asker): PolicyFacts['user'] => ({
  id: user.id,
  name: user.name,
  displayName: user.display_name,
  email: user.email,
  role: user.role,
  groups: user.groups,
});

export const deviceFacts = (
  device: Pick<DeviceRow, 'name' | 'labels' | 'platform'>,
  account: DeviceFacts['account'],
): DeviceFacts => ({
  name: device.name,
  labels: JSON.parse(device.labels) as Record<string, string>,
  platform: device.platform.replace(/^PLATFORM_/, '').toLowerCase(),
  account: { name: account.name, uid: account.uid },
});

/** What a user has taken, and may take, under those of the policies that have a budget. */
export async function usedUnder(
  db: LedgerReader,
  userId: string,
  policies: readonly Pick<Policy, 'name' | 'spec'>[],
  nowMs: number,
  exceptRequestId = '',
): Promise<UsedTime[]> {
  const limited = policies.filter(({ spec }) => spec.budget !== null);
  if (limited.length === 0) return [];
  const names = limited.map(({ name }) => name);
  const horizon = nowMs - Math.max(7 * DAY, ...limited.map(({ spec }) => spec.budget?.coolDownMs ?? 0));
  const sessions = await db
    .selectFrom('session')
    .select(['policy_name', 'state', 'created_at_ms', 'active_at_ms', 'expires_at_ms', 'held_until_ms', 'ended_at_ms'])
    .where('user_id', '=', userId)
    .where('policy_name', 'in', names)
    .where((eb) => eb.or([eb('ended_at_ms', 'is', null), eb('ended_at_ms', '>', horizon)]))
    .execute();
  const open = await db
    .selectFrom('access_request')
    .select(['policy_name', 'created_at_ms', 'duration_ms'])
    .where('user_id', '=', userId)
    .where('state', 'in', ['pending', 'approved'])
    .where('policy_name', 'in', names)
    .where('id', '<>', exceptRequestId)
    .execute();
  return [
    // A session that no device ever held has taken nothing.
    ...sessions
      .filter(({ state, active_at_ms }) => state !== 'ended' || active_at_ms !== null)
      .map((session): UsedTime => {
        // A device out of reach can hold a right no longer than this.
        const toMs = session.ended_at_ms ?? heldUntil(session);
        const kind = session.ended_at_ms === null && toMs > nowMs ? 'live' : 'over';
        return { policyName: session.policy_name, kind, fromMs: session.created_at_ms, toMs };
      }),
    ...open.map((request): UsedTime => {
      const { policy_name: policyName, created_at_ms: fromMs, duration_ms: durationMs } = request;
      return { policyName, kind: 'open', fromMs: nowMs, toMs: Math.max(nowMs, fromMs) + durationMs };
    }),
  ];
}
