import { CurfewError, newId } from '@curfew/shared';
import { IS_LIVE } from '../ledger/conditions.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import type { ResourcePlace } from '../resources/device-group.js';
import type { ResourceRow } from '../resources/find-resource.js';
import type { UseCaseContext } from '../use-case-context.js';
import { userById } from '../users/users.js';
import { insertSession, sessionRow, type NewSession } from './insert-session.js';

/**
 * Begins a session of a resource: one live one for each user. On a device it is a lease; elsewhere the connector's driver
 * finds that there is something to do. Returns its id. Errors: SESSION_ALREADY_LIVE, DEVICE_IDENTITY_CONFLICT.
 */
export async function insertResourceSession(
  tx: LedgerTransaction,
  context: UseCaseContext,
  resource: ResourceRow,
  place: ResourcePlace,
  given: Omit<NewSession, 'account' | 'options' | 'resource'>,
): Promise<string> {
  const user = await userById(tx.db, given.userId);
  const live = await tx.db
    .selectFrom('session')
    .select('id')
    .where('resource_id', '=', resource.id)
    .where('user_id', '=', user.id)
    .where(IS_LIVE)
    .executeTakeFirst();
  if (live !== undefined) throw new CurfewError('SESSION_ALREADY_LIVE', { account: user.name, id: live.id });
  const input: NewSession = { ...given, resource, account: place.account, options: place.options };
  if (place.device !== undefined) return insertSession(tx, context, place.device, input);
  const [now, id] = [context.clock.now(), newId('session', context.random)];
  await tx.db
    .insertInto('session_transition')
    .values({ session_id: id, seq: 1, prior_seq: 0, prior_state: 'none', state: 'starting', at_ms: now })
    .execute();
  await tx.db
    .insertInto('session')
    .values({ ...sessionRow(id, null, now, input), revision: tx.changed('session', id) })
    .execute();
  await tx.db
    .insertInto('resource_grant')
    .values({
      session_id: id,
      resource_id: resource.id,
      phase: 'finding',
      subject_id: '',
      subject_label: '',
      until_ms: null,
      due_at_ms: now,
      attempts: 0,
      attempt_error: '',
      doubtful_until_ms: 0,
      noticed_at_ms: null,
    })
    .execute();
  const data = {
    resource: resource.name,
    user: user.name,
    durationMs: input.durationMs,
    reason: input.reason,
    policy: input.terms.policyName,
    policyVersion: input.terms.policyVersion,
    breakGlass: input.terms.breakGlass,
  };
  tx.audit({ type: 'session.starting', actor: input.actor, subject: id, data });
  return id;
}
