import type { LastingChange } from '../ports/change-store.js';
import { WEIGHTS, type LastingItem, type PackageFile, type Weight } from '../ports/lasting-power.js';

/** Items by kind and subject. */
export type ItemMap = ReadonlyMap<string, LastingItem>;

export const itemMap = (items: readonly LastingItem[]): ItemMap =>
  new Map(items.map((item) => [`${item.kind} ${item.subject}`, item]));

/** Clocks of file systems run a little behind the machine's (they are read once a tick). */
const COARSE_MS = 1_000;

/**
 * What was there before a session began at `startMs`. `earlier` was seen at `earlierMs`, `later` at or after the start:
 * of that, what the file system says was changed between the two does not count as the session's work. What is older than
 * the earlier look and was not in it has a date that somebody has made up.
 */
export function baselineOf(earlier: ItemMap, earlierMs: number, later: ItemMap, startMs: number): ItemMap {
  const baseline = new Map(earlier);
  for (const [key, item] of later)
    if (item.changedAtMs < startMs && item.changedAtMs > earlierMs - COARSE_MS) baseline.set(key, item);
  return baseline;
}

/** What differs, in the order of weight, kind and subject. `account` is the name of the person whose session it is. */
export function compareItems(before: ItemMap, after: ItemMap, account: string): LastingChange[] {
  const changes: LastingChange[] = [];
  for (const [key, item] of after) {
    const old = before.get(key);
    if (old?.state === item.state) continue;
    const action = old === undefined ? 'added' : 'changed';
    const detail = old === undefined ? item.state : `was: ${old.state}; is: ${item.state}`;
    changes.push(change(action, item, weightFor(item, account), detail));
  }
  for (const [key, item] of before)
    if (!after.has(key))
      changes.push(change('removed', item, lesser(weightFor(item, account), 'warning'), `was: ${item.state}`));
  return changes.sort(byWeight);
}

/**
 * Tells apart what packages have brought: a file that is as a package brought it, when that package is itself among the
 * `fresh`, is the package's and a notice. It stays in the list: a package can be anything. `files` has the files of
 * changes by their keys.
 */
export function withPackages(
  changes: readonly LastingChange[],
  files: ReadonlyMap<string, string>,
  packages: ReadonlyMap<string, PackageFile>,
  fresh: ReadonlySet<string>,
): LastingChange[] {
  return changes
    .map((one): LastingChange => {
      const owner = packages.get(files.get(keyOf(one)) ?? '');
      if (owner === undefined || one.action === 'removed') return one;
      if (!owner.intact) return { ...one, detail: `${one.detail}; not as the package ${owner.name} brought it` };
      return fresh.has(owner.name) ? { ...one, package: owner.name, weight: 'notice' } : one;
    })
    .sort(byWeight);
}

/** The packages that were installed or changed. */
export const freshPackages = (changes: readonly LastingChange[]): Set<string> =>
  new Set(
    changes.filter(({ kind, action }) => kind === 'package' && action !== 'removed').map(({ subject }) => subject),
  );

export const keyOf = ({ kind, subject }: { readonly kind: string; readonly subject: string }): string =>
  `${kind} ${subject}`;

function change(action: LastingChange['action'], item: LastingItem, weight: Weight, detail: string): LastingChange {
  return { kind: item.kind, action, subject: item.subject, weight, package: '', detail };
}

/** What people do to their own account they may do without any session. */
const OWN: readonly LastingItem['kind'][] = ['authorized_keys', 'password', 'profile', 'cron', 'at'];

const weightFor = (item: LastingItem, account: string): Weight =>
  item.account === account && OWN.includes(item.kind) ? 'notice' : item.weight;

const rank = (weight: Weight): number => WEIGHTS.indexOf(weight);
const lesser = (one: Weight, other: Weight): Weight => (rank(one) < rank(other) ? one : other);

export const weightOrder = (one: { readonly weight: Weight }, other: { readonly weight: Weight }): number =>
  rank(other.weight) - rank(one.weight);

/** What matters most comes first. */
export const byWeight = (one: LastingChange, other: LastingChange): number =>
  weightOrder(one, other) || one.kind.localeCompare(other.kind) || one.subject.localeCompare(other.subject);
