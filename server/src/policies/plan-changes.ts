import { CurfewError } from '@curfew/shared';
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { PolicyDraft } from './policy-ledger.js';
import type { Policy } from './policy-spec.js';

/** A policy as it is to be, and the version that it was made from where that matters. */
export interface WantedPolicy extends PolicyDraft {
  readonly baseVersion?: number;
}

/** What applying does to one policy. Positions count from 1. */
export type PlannedChange =
  | { readonly action: 'created'; readonly draft: PolicyDraft; readonly position: number }
  | {
      readonly action: 'changed' | 'moved' | 'unchanged';
      readonly earlier: Policy;
      readonly draft: PolicyDraft;
      readonly position: number;
    }
  | { readonly action: 'removed'; readonly earlier: Policy };

/**
 * What has to be done so that the policies are as wanted, in their new order and then what goes. With `prune` the wanted
 * ones are all there are, in this order; without, those that exist keep their places and new ones come last.
 * Errors: POLICY_CHANGED.
 */
export function planChanges(
  existing: readonly Policy[],
  wanted: readonly WantedPolicy[],
  prune: boolean,
): PlannedChange[] {
  const byName = new Map(existing.map((policy) => [policy.name, policy]));
  for (const { name, baseVersion = 0 } of wanted) {
    const version = byName.get(name)?.version ?? 0;
    if (baseVersion !== 0 && baseVersion !== version)
      throw new CurfewError('POLICY_CHANGED', { what: `'${name}' has version ${version}` });
  }
  const wantedNames = new Map(wanted.map((draft) => [draft.name, draft]));
  const order = prune
    ? wanted
    : [
        ...existing.map((policy) => wantedNames.get(policy.name) ?? policy),
        ...wanted.filter(({ name }) => !byName.has(name)),
      ];
  const changes = order.map((draft, index): PlannedChange => {
    const [earlier, position] = [byName.get(draft.name), index + 1];
    if (earlier === undefined) return { action: 'created', draft, position };
    const action = !isSame(earlier, draft) ? 'changed' : earlier.position === position ? 'unchanged' : 'moved';
    return { action, earlier, draft, position };
  });
  const kept = new Set(order.map(({ name }) => name));
  const gone = existing.filter(({ name }) => !kept.has(name));
  return [...changes, ...gone.map((earlier): PlannedChange => ({ action: 'removed', earlier }))];
}

/** Names the policies of a moment: another name, version or place, another etag. */
export const etagOf = (policies: readonly Policy[]): string =>
  createHash('sha256')
    .update(JSON.stringify(policies.map(({ id, name, version, position }) => [id, name, version, position])))
    .digest('hex')
    .slice(0, 32);

/** The policies as they would stand after the changes. */
export function policiesAfter(changes: readonly PlannedChange[]): Policy[] {
  return changes.flatMap((change) => {
    if (change.action === 'removed') return [];
    const { draft, position } = change;
    const { name, description, disabled, spec } = draft;
    const before = change.action === 'created' ? { id: '', version: 0, updatedAtMs: 0, updatedBy: '' } : change.earlier;
    return [{ ...before, name, description, disabled, spec, position }];
  });
}

const isSame = (a: PolicyDraft, b: PolicyDraft): boolean =>
  a.description === b.description && a.disabled === b.disabled && isDeepStrictEqual(a.spec, b.spec);
