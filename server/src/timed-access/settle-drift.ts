import { CurfewError, type InstantMs } from '@curfew/shared';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { placeOf } from '../resources/device-group.js';
import { findOpenResource, findPresentResource } from '../resources/find-resource.js';
import { assertEnabled, assertGranting, assertWithinLimit } from '../sessions/grant-rules.js';
import { insertResourceSession } from '../sessions/insert-resource-session.js';
import { termsOf, type SessionTerms } from '../sessions/insert-session.js';
import { sessionsById, type SessionRecord } from '../sessions/session-record.js';
import type { UseCaseContext } from '../use-case-context.js';
import { callerActor, type Caller } from '../users/caller.js';
import { presentCaller } from '../users/present-caller.js';
import { userById } from '../users/users.js';
import { ask, type CompareParts } from './compare.js';
import { findDrift, forgetDrift, sessionOf, type DriftRow } from './drift.js';
import type { DriftKind } from './grant-phase.js';
import { connectorOf } from './open-connectors.js';

/** What a difference is, in the words of a refusal. */
const WHAT: Readonly<Record<DriftKind, string>> = {
  removed_by_hand: 'was removed by hand',
  added_by_hand: 'was added by hand and never given by Curfew',
  back_after_end: 'is back after its end',
};

/** What an operator has decided about a difference. */
export interface Settlement {
  readonly caller: Caller;
  /** The difference's id, or a unique prefix. */
  readonly given: string;
  readonly reason: string;
}

/**
 * Says that a difference is well. Who was added stands there from now on, like those who were there before us. Returns the
 * resource's id. Errors: DRIFT_NOT_FOUND, SELF_APPROVAL, ID_AMBIGUOUS.
 */
export async function acceptDrift(tx: LedgerTransaction, now: InstantMs, settlement: Settlement): Promise<string> {
  const drift = await findDrift(tx.db, settlement.given, now);
  const { resource_id: resourceId, subject_id: subjectId, label } = drift;
  if (drift.kind === 'back_after_end' && (await sessionOf(tx.db, drift)).user_id === settlement.caller.userId)
    throw new CurfewError('SELF_APPROVAL');
  if (drift.kind !== 'removed_by_hand')
    await tx.db
      .insertInto('resource_member')
      .values({ resource_id: resourceId, subject_id: subjectId, label })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  await settled(tx, drift, 'resource.drift_accepted', settlement);
  return resourceId;
}

/**
 * Gives what was removed by hand again, for the rest of its session's time and on its terms. Errors: DRIFT_NOT_FOUND,
 * DRIFT_ACTION_UNFIT, those of `presentCaller`, SELF_APPROVAL, USER_DISABLED, RESOURCE_DISABLED, CONNECTOR_DISABLED, SESSION_ALREADY_LIVE, DURATION_TOO_LONG,
 * LEDGER_ROLLED_BACK, ID_AMBIGUOUS.
 */
export async function giveDriftAgain(
  tx: LedgerTransaction,
  context: UseCaseContext,
  settlement: Settlement,
): Promise<SessionRecord> {
  const { caller, reason } = settlement;
  const now = context.clock.now();
  await assertGranting(tx.db);
  await presentCaller(tx.db, caller, '/curfew.admin.v1.ResourceService/GiveDriftAgain');
  const drift = await findDrift(tx.db, settlement.given, now);
  assertFits(drift, 'removed_by_hand', 'given again');
  const cut = await sessionOf(tx.db, drift);
  const { user_id: userId, expires_at_ms: expiresAtMs } = cut;
  if (userId === caller.userId) throw new CurfewError('SELF_APPROVAL');
  const durationMs = expiresAtMs - now;
  assertWithinLimit('duration', durationMs, context.settings.maxSessionMs);
  const user = await userById(tx.db, userId);
  assertEnabled(user);
  const actor = callerActor(caller);
  const resource = await findOpenResource(tx.db, drift.resource_id);
  const place = await placeOf(tx, context, resource, user, { account: '', actor });
  const given = { userId, durationMs, expiresAtMs, reason, grantedBy: caller.userName, requestId: null, actor };
  const sessionId = await insertResourceSession(tx, context, resource, place, {
    ...given,
    terms: restOf(termsOf(cut), cut.duration_ms, durationMs),
  });
  await settled(tx, drift, 'resource.drift_given_again', settlement, { newSession: sessionId });
  const [session] = await sessionsById(tx.db, [sessionId]);
  if (session === undefined) throw new Error('the new session is not in the ledger');
  return session;
}

/** The longest counts from the beginning of the session that was cut. */
const restOf = (terms: SessionTerms, wholeMs: number, restMs: number): SessionTerms => ({
  ...terms,
  longestMs: terms.longestMs === null ? null : Math.max(restMs, terms.longestMs - (wholeMs - restMs)),
});

/**
 * Takes away what is back after its end, in the resource's own order of calls. The decision is in the ledger before the
 * resource is asked, and the difference stays until it has confirmed. Returns the resource's id. Errors: DRIFT_NOT_FOUND,
 * DRIFT_ACTION_UNFIT, RESOURCE_NOT_FOUND, RESOURCE_UNREACHABLE, RESOURCE_REFUSED, ID_AMBIGUOUS.
 */
export async function takeDriftAway(parts: CompareParts, settlement: Settlement): Promise<string> {
  const { ledger, lanes, clock } = parts;
  const { resource, connector } = await ledger.read(async (db) => {
    const drift = await findDrift(db, settlement.given, clock.now());
    assertFits(drift, 'back_after_end', 'taken away');
    const found = await findPresentResource(db, drift.resource_id);
    return { resource: found, connector: await connectorOf(db, found) };
  });
  if (connector === undefined) throw new Error(`the resource ${resource.id} has a difference and no connector`);
  await lanes.run(resource.id, async () => {
    // While this waited for its turn, it may have been given in a new session, and is that session's then.
    const drift = await ledger.write(async (tx) => {
      const found = await findDrift(tx.db, settlement.given, clock.now());
      note(tx, found, 'resource.drift_taking_away', settlement);
      return found;
    });
    const subject = { id: drift.subject_id, label: drift.label };
    await ask(parts, { resource, connector }, (port, signal) => port.remove(subject, signal));
    await ledger.write((tx) => settled(tx, drift, 'resource.drift_taken_away', settlement));
  });
  return resource.id;
}

/** Errors: DRIFT_ACTION_UNFIT. */
function assertFits(drift: DriftRow, kind: DriftKind, action: string): void {
  if (drift.kind !== kind) throw new CurfewError('DRIFT_ACTION_UNFIT', { what: WHAT[drift.kind], action });
}

async function settled(
  tx: LedgerTransaction,
  drift: DriftRow,
  type: string,
  settlement: Settlement,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  await forgetDrift(tx.db, drift.id);
  note(tx, drift, type, settlement, more);
  tx.changed('resource', drift.resource_id);
}

function note(
  tx: LedgerTransaction,
  drift: DriftRow,
  type: string,
  { caller, reason }: Settlement,
  more: Readonly<Record<string, string>> = {},
): void {
  const data = { kind: drift.kind, subject: drift.label, session: drift.session_id, reason, ...more };
  tx.audit({ type, actor: callerActor(caller), subject: drift.resource_id, data });
}
