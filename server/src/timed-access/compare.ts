import { CurfewError, type Clock, type Random } from '@curfew/shared';
import { sql } from 'kysely';
import { ConnectorError, type Subject } from '../connectors/connector.js';
import type { Ledger, LedgerReader } from '../ledger/ledger.js';
import { findPresentResource } from '../resources/find-resource.js';
import type { Circuits } from './circuits.js';
import { comparePlan, type Difference, type LedgerView } from './compare-plan.js';
import { endRemoved, putDrift } from './drift.js';
import { taskOf, type GrantTask } from './grant-task.js';
import type { Lanes } from './lanes.js';
import { problemText } from './limited-call.js';
import { connectorOf } from './open-connectors.js';
import { CircuitClosed, type ConnectorCall, type Place, type ResourceCalls } from './resource-calls.js';

export interface CompareParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly random: Random;
  readonly lanes: Lanes;
  readonly calls: ResourceCalls;
  readonly circuits: Circuits;
}

/** In the words of the schema's partial index. */
const IS_OPEN = sql<boolean>`g.phase in ('adding', 'held')`;
/** How many ids one statement takes. */
const CHUNK = 5_000;

/**
 * Compares a resource with the ledger, in the resource's own order of calls: nothing of ours changes there meanwhile. A
 * session whose membership somebody else took away ends; every other difference is told, and nothing is taken away for it.
 * Errors: RESOURCE_NOT_FOUND, RESOURCE_UNREACHABLE, RESOURCE_REFUSED.
 */
export async function compareResource(parts: CompareParts, given: string): Promise<void> {
  const { ledger, lanes, clock, random } = parts;
  const found = await ledger.read(async (db) => {
    const resource = await findPresentResource(db, given);
    return { resource, connector: await connectorOf(db, resource) };
  });
  const { resource, connector } = found;
  // What an agent gives, the agent compares.
  if (connector === undefined) return;
  await lanes.run(resource.id, async () => {
    const place = { resource, connector };
    const members = await ask(parts, place, (port, signal) => port.members(signal));
    const ids = members.map(({ id }) => id);
    const view = await ledger.read((db) => ledgerView(db, resource.id, ids, clock.now()));
    const plan = comparePlan(view, members);
    const gone: GrantTask[] = [];
    for (const sessionId of plan.missing) {
      const task = await ledger.read((db) => taskOf(db, sessionId));
      if (task.state !== 'active') continue;
      if (!(await ask(parts, place, (port, signal) => port.has(task.subject, signal)))) gone.push(task);
    }
    await ledger.write(async (tx) => {
      const now = clock.now();
      // Another admin may have changed what it is meanwhile.
      const after = await tx.db
        .selectFrom('resource')
        .selectAll()
        .where('id', '=', resource.id)
        .executeTakeFirstOrThrow();
      if (after.target !== resource.target || after.connector_id !== resource.connector_id) return;
      const removed: Difference[] = [];
      for (const task of gone) {
        const difference = await endRemoved(tx, resource, task, now);
        if (difference !== undefined) removed.push(difference);
      }
      await putKnown(tx.db, resource.id, view.known, plan.known);
      await putDrift(tx, random, resource, [...removed, ...plan.differences], now);
      await tx.db.updateTable('resource').set({ compared_at_ms: now }).where('id', '=', resource.id).execute();
      tx.changed('resource', resource.id);
    });
  });
}

/** A call for a comparison, or for what was found in one. Errors: RESOURCE_UNREACHABLE, RESOURCE_REFUSED. */
export async function ask<T>(
  { calls, circuits, ledger, clock }: CompareParts,
  place: Place,
  call: ConnectorCall<T>,
): Promise<T> {
  const { resource, connector } = place;
  let begun = 0;
  try {
    const answer = await calls.call(place, false, (port, signal) => {
      begun = circuits.begin();
      return call(port, signal);
    });
    if (circuits.isFailing(connector.id))
      await ledger.write((tx) => circuits.noteAnswer(tx, connector.id, begun, clock.now()));
    return answer;
  } catch (error) {
    if (error instanceof CircuitClosed)
      throw new CurfewError(
        'RESOURCE_UNREACHABLE',
        { resource: resource.name, problem: connector.last_error },
        { cause: error },
      );
    if (!(error instanceof ConnectorError)) throw error;
    const fields = { resource: resource.name, problem: problemText(error) };
    if (error.kind === 'refused') throw new CurfewError('RESOURCE_REFUSED', fields, { cause: error });
    const { retryAfterMs } = error;
    if (error.kind === 'unreachable' && !calls.isStopping())
      await ledger.write((tx) => circuits.noteFailure(tx, connector.id, clock.now(), { error, retryAfterMs }));
    throw new CurfewError('RESOURCE_UNREACHABLE', fields, { cause: error });
  }
}

async function ledgerView(
  db: LedgerReader,
  resourceId: string,
  memberIds: readonly string[],
  now: number,
): Promise<LedgerView> {
  const { compared_at_ms: comparedMs } = await db
    .selectFrom('resource')
    .select('compared_at_ms')
    .where('id', '=', resourceId)
    .executeTakeFirstOrThrow();
  const grants = db
    .selectFrom('resource_grant as g')
    .innerJoin('session as s', 's.id', 'g.session_id')
    .select(['s.id', 's.state', 'g.phase', 'g.subject_id'])
    .where('g.resource_id', '=', resourceId);
  const open = await grants.where(IS_OPEN).execute();
  const past: typeof open = [];
  for (let at = 0; at < memberIds.length; at += CHUNK)
    past.push(
      ...(await grants
        .where('g.subject_id', 'in', memberIds.slice(at, at + CHUNK))
        .where('g.phase', '=', 'gone')
        .orderBy('s.created_at_ms', 'desc')
        .execute()),
    );
  const known = await db.selectFrom('resource_member').selectAll().where('resource_id', '=', resourceId).execute();
  return {
    isFirst: comparedMs === null,
    ours: open.map((grant) => ({
      sessionId: grant.id,
      subjectId: grant.subject_id,
      isActive: grant.state === 'active' && grant.phase === 'held',
    })),
    past: past.map(({ id, subject_id }) => ({ sessionId: id, subjectId: subject_id })),
    removed: await removedBefore(db, resourceId, now),
    known: known.map(({ subject_id, label }) => ({ id: subject_id, label })),
  };
}

/** What was found removed by hand, for as long as its session would have gone on. */
async function removedBefore(db: LedgerReader, resourceId: string, now: number): Promise<LedgerView['removed']> {
  const rows = await db
    .selectFrom('resource_drift as d')
    .innerJoin('session as s', 's.id', 'd.session_id')
    .select(['d.session_id', 'd.subject_id', 'd.label'])
    .where('d.resource_id', '=', resourceId)
    .where('d.kind', '=', 'removed_by_hand')
    .where('s.expires_at_ms', '>', now)
    .execute();
  return rows.map(({ session_id, subject_id, label }) => ({
    sessionId: session_id,
    subject: { id: subject_id, label },
  }));
}

async function putKnown(
  db: LedgerReader,
  resourceId: string,
  before: readonly Subject[],
  after: readonly Subject[],
): Promise<void> {
  const [had, has] = [new Set(before.map(({ id }) => id)), new Set(after.map(({ id }) => id))];
  const lost = before.filter(({ id }) => !has.has(id)).map(({ id }) => id);
  for (let at = 0; at < lost.length; at += CHUNK)
    await db
      .deleteFrom('resource_member')
      .where('resource_id', '=', resourceId)
      .where('subject_id', 'in', lost.slice(at, at + CHUNK))
      .execute();
  const rows = after
    .filter(({ id }) => !had.has(id))
    .map(({ id, label }) => ({ resource_id: resourceId, subject_id: id, label }));
  for (let at = 0; at < rows.length; at += CHUNK)
    await db
      .insertInto('resource_member')
      .values(rows.slice(at, at + CHUNK))
      .execute();
}
