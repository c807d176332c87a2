import type { LedgerReader } from '../ledger/ledger.js';
import { decide, type PolicyAnswer } from '../policies/decide.js';
import { usedUnder, userFacts } from '../policies/load-facts.js';
import { readPolicies } from '../policies/policy-ledger.js';
import { NO_OPTIONS } from '../resources/device-group.js';
import { IS_THERE, type ResourceRow } from '../resources/find-resource.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { UserRecord } from '../users/users.js';

/** A resource that a person could ask for, and what the policies say to that. */
export interface ResourceTarget {
  readonly resource: ResourceRow;
  readonly answer: PolicyAnswer;
}

/**
 * Every resource that is open, by name, and that some policy gives to the person: one that is for others is not shown,
 * since its name may tell too much.
 */
export async function resourceTargets(
  db: LedgerReader,
  { clock, settings }: UseCaseContext,
  user: UserRecord,
): Promise<ResourceTarget[]> {
  const rows = await db
    .selectFrom('resource')
    .leftJoin('connector', 'connector.id', 'resource.connector_id')
    .selectAll('resource')
    .select('connector.disabled as connector_disabled')
    .where(IS_THERE)
    .where('resource.disabled', '=', 0)
    .orderBy('resource.name_key')
    .execute();
  if (rows.length === 0) return [];
  const [now, policies] = [clock.now(), await readPolicies(db)];
  const used = await usedUnder(db, user.id, policies, now);
  const ask = { durationMs: undefined, reason: undefined, ticket: undefined, options: NO_OPTIONS, breakGlass: false };
  return rows.flatMap(({ connector_disabled: closed, ...resource }) => {
    if (closed === 1) return [];
    const target = { resource: { name: resource.name } };
    const answer = decide(policies, { user: userFacts(user), target, ask, used }, settings, now);
    return answer.policy?.spec.effect === 'allow' ? [{ resource, answer }] : [];
  });
}
