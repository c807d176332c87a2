import type { GrantOptions, InstantMs } from '@curfew/shared';
import { sql } from 'kysely';
import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import { endSessions, renewRight } from '../sessions/end-sessions.js';
import { heldUntil } from '../sessions/offline-end.js';
import type { AccountIdentity } from '../sessions/session-record.js';
import { callerActor, type Caller } from '../users/caller.js';
import { decide, longest, type ServerLimits } from './decide.js';
import { deviceFacts } from './load-facts.js';
import type { Policy } from './policy-spec.js';

/** A running session, and how long the policies would allow it now: 0 when not at all. */
export interface LongerSession {
  readonly id: string;
  /** Null for a resource that is on no device. */
  readonly deviceId: string | null;
  readonly createdAtMs: number;
  /** Until when its device may hold it by what it knows. */
  readonly heldUntilMs: number;
  readonly limitMs: number;
}

/** Running sessions that these policies would not allow for so long. What operators gave is outside of policies. */
export async function longerSessions(
  db: LedgerReader,
  policies: readonly Policy[],
  limits: ServerLimits,
  now: InstantMs,
): Promise<LongerSession[]> {
  const groups = new Map<string, string[]>();
  for (const { user_id, name } of await db.selectFrom('user_group').selectAll().execute())
    groups.set(user_id, [...(groups.get(user_id) ?? []), name]);
  const rows = await db
    .selectFrom('session as s')
    .innerJoin('app_user as u', 'u.id', 's.user_id')
    .leftJoin('device as d', 'd.id', 's.device_id')
    .leftJoin('resource as e', 'e.id', 's.resource_id')
    .leftJoin('access_request as r', 'r.id', 's.request_id')
    .selectAll('s')
    .select(['u.name as user_name', 'u.display_name', 'u.email', 'u.role', 'r.ticket'])
    .select(['d.name as device_name', 'd.labels', 'd.platform', 'e.name as resource_name'])
    .where(sql<boolean>`s.state in ('starting', 'active')`)
    .where('s.policy_name', '<>', '')
    .execute();
  return rows.flatMap((row) => {
    const account = JSON.parse(row.account) as AccountIdentity;
    const user = {
      id: row.user_id,
      name: row.user_name,
      displayName: row.display_name,
      email: row.email,
      role: row.role,
      groups: groups.get(row.user_id) ?? [],
    };
    const { device_name: name, labels, platform, resource_name: resource } = row;
    const target =
      resource === null
        ? { device: deviceFacts({ name: name ?? '', labels: labels ?? '{}', platform: platform ?? '' }, account) }
        : { resource: { name: resource } };
    const ask = {
      durationMs: row.duration_ms,
      reason: row.reason,
      ticket: row.ticket ?? '',
      options: JSON.parse(row.options) as GrantOptions,
      breakGlass: row.break_glass === 1,
    };
    const { maxDurationMs: limitMs } = decide(policies, { user, target, ask, used: [] }, limits, now);
    if (limitMs >= row.duration_ms) return [];
    const { id, device_id: deviceId, created_at_ms: createdAtMs } = row;
    return [{ id, deviceId, createdAtMs, heldUntilMs: heldUntil(row), limitMs }];
  });
}

/** Ends sessions at their new limit, counted from their start, or at once where that is over. */
export async function shortenSessions(
  tx: LedgerTransaction,
  caller: Caller,
  sessions: readonly LongerSession[],
  now: InstantMs,
): Promise<void> {
  const detail = 'the policies do not allow it for so long any more';
  const over = sessions.filter(({ createdAtMs, limitMs }) => createdAtMs + limitMs <= now).map(({ id }) => id);
  const decision = { reason: 'revoked', by: caller.userName, actor: callerActor(caller), detail } as const;
  await endSessions(tx, now, { ids: over }, decision);
  for (const { id, deviceId, createdAtMs, heldUntilMs, limitMs } of sessions) {
    if (over.includes(id)) continue;
    await renewRight(tx, id, deviceId, now);
    const data = { durationMs: limitMs, reason: detail };
    tx.audit({ type: 'session.shortened', actor: callerActor(caller), subject: id, data });
    const revision = tx.changed('session', id, deviceId ?? '');
    await tx.db
      .updateTable('session')
      .set({ duration_ms: limitMs, expires_at_ms: createdAtMs + limitMs, longest_ms: limitMs, revision })
      .$if(deviceId !== null, (update) => update.set({ held_until_ms: heldUntilMs }))
      .where('id', '=', id)
      .execute();
  }
}

/** Extending is decided under what a policy says by then, so running sessions learn what has changed. */
export async function bindExtensions(
  tx: LedgerTransaction,
  policy: Pick<Policy, 'name' | 'spec'>,
  limits: ServerLimits,
): Promise<void> {
  const { name, spec } = policy;
  const longestMs = spec.maxDurationMs === null ? null : longest(spec, limits);
  const live = await tx.db
    .updateTable('session')
    .set({ longest_ms: longestMs, no_extension: Number(spec.noExtension) })
    .where('policy_name', '=', name)
    .where('state', 'in', ['starting', 'active'])
    .returning(['id', 'device_id'])
    .execute();
  for (const { id } of live) {
    const revision = tx.changed('session', id);
    await tx.db.updateTable('session').set({ revision }).where('id', '=', id).execute();
  }
}
