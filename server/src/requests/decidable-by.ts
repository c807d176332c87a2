import { sql, type RawBuilder } from 'kysely';
import type { LedgerReader } from '../ledger/ledger.js';
import { mayDecide, type Decider } from '../policies/approval-steps.js';
import { specOfVersion } from '../policies/policy-ledger.js';
import { stepsOf } from '../policies/policy-spec.js';

/** In the words of the partial index. */
export const REVIEW_WAITS = sql<boolean>`r.review_state = 'waiting'`;

/**
 * The condition that a request `r` waits for this person: the same rules as `decisionProblem`, for whole lists. Asks once
 * for each version of a policy that pending requests were made under, of which there are few.
 */
export async function decidableBy(db: LedgerReader, decider: Decider): Promise<RawBuilder<boolean>> {
  const kinds = await db
    .selectFrom('access_request')
    .select(['policy_name', 'policy_version', 'step'])
    .distinct()
    .where('state', '=', 'pending')
    .execute();
  const fitting: RawBuilder<boolean>[] = [];
  for (const { policy_name, policy_version, step } of kinds) {
    const spec = await specOfVersion(db, policy_name, policy_version);
    const waiting = stepsOf(spec)[step - 1];
    if (waiting === undefined || !mayDecide(waiting, decider)) continue;
    const notOwn = spec.selfApproval ? sql`true` : sql`r.user_id <> ${decider.userId}`;
    fitting.push(
      sql<boolean>`(r.policy_name = ${policy_name} and r.policy_version = ${policy_version} and r.step = ${step} and ${notOwn})`,
    );
  }
  if (fitting.length === 0) return sql<boolean>`false`;
  return sql<boolean>`(r.state = 'pending' and (${sql.join(fitting, sql` or `)}) and not exists
    (select 1 from request_decision d where d.request_id = r.id and d.user_id = ${decider.userId}))`;
}
