import type { LedgerReader, LedgerTransaction } from '../ledger/ledger.js';
import type { Tables } from '../ledger/tables.js';
import type { Actor } from '../audit/audit-entry.js';
import { actorName } from '../audit/audit-entry.js';
import { newId, type InstantMs, type Random } from '@curfew/shared';
import type { Selectable } from 'kysely';
import { OPEN_SPEC, type Policy, type PolicySpec } from './policy-spec.js';

/** A policy as it is to be; its place follows from the list that it stands in. */
export interface PolicyDraft {
  readonly name: string;
  readonly description: string;
  readonly disabled: boolean;
  readonly spec: PolicySpec;
}

/** Who changes policies, and when. */
export interface PolicyAuthor {
  readonly actor: Actor;
  readonly now: InstantMs;
  readonly random: Random;
}

/** Every policy in its order. */
export async function readPolicies(db: LedgerReader): Promise<Policy[]> {
  return (await db.selectFrom('policy').selectAll().orderBy('position').execute()).map(policyFromRow);
}

/** What a policy said in a version; the open policy for requests from before there were policies. */
export async function specOfVersion(db: LedgerReader, name: string, version: number): Promise<PolicySpec> {
  if (name === '') return OPEN_SPEC;
  const row = await db
    .selectFrom('policy_version')
    .select('spec')
    .where('name', '=', name)
    .where('version', '=', version)
    .executeTakeFirstOrThrow();
  if (row.spec === null) throw new Error(`version ${version} of the policy ${name} says nothing`);
  return specFromText(row.spec);
}

/** Makes a policy, or gives it its next version, at a place in the order. */
export async function putPolicy(
  tx: LedgerTransaction,
  draft: PolicyDraft,
  position: number,
  earlier: Policy | undefined,
  author: PolicyAuthor,
): Promise<void> {
  const id = earlier?.id ?? newId('policy', author.random);
  const { name, description } = draft;
  const [disabled, spec] = [Number(draft.disabled), JSON.stringify(draft.spec)];
  const version = await addVersion(tx, { id, name, description, disabled, spec }, author);
  const row = {
    id,
    name,
    position,
    version,
    description,
    disabled,
    spec,
    updated_at_ms: author.now,
    updated_by: authorName(author),
  };
  if (earlier === undefined) await tx.db.insertInto('policy').values(row).execute();
  else await tx.db.updateTable('policy').set(row).where('id', '=', id).execute();
  const type = earlier === undefined ? 'policy.created' : 'policy.changed';
  tx.audit({
    type,
    actor: author.actor,
    subject: id,
    data: { name, version, position, disabled: draft.disabled, spec },
  });
  tx.changed('policy', id);
}

/** Takes a policy out of the order. Its versions stay. */
export async function removePolicy(tx: LedgerTransaction, policy: Policy, author: PolicyAuthor): Promise<void> {
  const { id, name, description } = policy;
  const version = await addVersion(
    tx,
    { id, name, description, disabled: Number(policy.disabled), spec: null },
    author,
  );
  await tx.db.deleteFrom('policy').where('id', '=', id).execute();
  tx.audit({ type: 'policy.removed', actor: author.actor, subject: id, data: { name, version } });
  tx.changed('policy', id);
}

/** Gives a policy another place. */
export async function movePolicy(
  tx: LedgerTransaction,
  { id, name }: Policy,
  position: number,
  author: PolicyAuthor,
): Promise<void> {
  await tx.db.updateTable('policy').set({ position }).where('id', '=', id).execute();
  tx.audit({ type: 'policy.moved', actor: author.actor, subject: id, data: { name, position } });
  tx.changed('policy', id);
}

async function addVersion(
  tx: LedgerTransaction,
  { id, ...said }: { id: string; name: string; description: string; disabled: number; spec: string | null },
  author: PolicyAuthor,
): Promise<number> {
  const last = await tx.db
    .selectFrom('policy_version')
    .select('version')
    .where('name', '=', said.name)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  const version = (last?.version ?? 0) + 1;
  await tx.db
    .insertInto('policy_version')
    .values({ ...said, version, policy_id: id, created_at_ms: author.now, created_by: authorName(author) })
    .execute();
  return version;
}

const authorName = ({ actor }: PolicyAuthor): string => (actor.kind === 'user' ? actor.name : actorName(actor));

/** What a stored version says; parts that came later than it have what they had then: nothing. */
export const specFromText = (text: string): PolicySpec => ({
  ...OPEN_SPEC,
  ...(JSON.parse(text) as Partial<PolicySpec>),
});

export const policyFromRow = (row: Selectable<Tables['policy']>): Policy => ({
  id: row.id,
  name: row.name,
  description: row.description,
  position: row.position,
  disabled: row.disabled === 1,
  version: row.version,
  spec: specFromText(row.spec),
  updatedAtMs: row.updated_at_ms,
  updatedBy: row.updated_by,
});
