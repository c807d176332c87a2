// The runs of `npm run bench` that are kept in docs/benchmarks/, one JSON file each, and the table that is made from them.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCHMARKS } from './benchmarks.mjs';

export const HISTORY = 'docs/benchmarks';
const FOLDER = fileURLToPath(new URL(`../../${HISTORY}/`, import.meta.url));

/** What a run's file is called: by its moment, so that names are in the order of time, and by its commit. */
export const runFileName = ({ at, machine }) => `${at.slice(0, 19).replaceAll(':', '')}-${machine.commit}.json`;

/** Every run that is kept, the oldest first. Errors: a file is not called as its run is. */
export function keptRuns(folder = FOLDER) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const runs = files.map((name) => ({ name, run: JSON.parse(readFileSync(path.join(folder, name), 'utf8')) }));
  for (const { name, run } of runs)
    if (name !== runFileName(run)) throw new Error(`${HISTORY}/${name} should be called ${runFileName(run)}`);
  return runs.map(({ run }) => run).sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** What of an outcome is shown: every ratio, and the figures that have a goal of their own. */
const shownOf = ({ ratios, figures }) => [
  ...ratios,
  ...figures
    .filter(({ goal }) => goal !== undefined)
    .map(({ name, links, unit, goal, values }) => ({ name, links, unit, goal, value: values.p50 })),
];

/** Whether the median is as it should be; undefined without a goal. */
export function isMet({ goal, value }) {
  if (goal === undefined) return undefined;
  return goal.atMost === undefined ? value.median >= goal.atLeast : value.median <= goal.atMost;
}

/**
 * Each benchmark that was ever kept, in the order of the list, with what was measured: each as the newest run says that has
 * it at so many links, with its medians in the runs before, the oldest first.
 */
export function standing(runs) {
  return BENCHMARKS.flatMap(({ id, title }) => {
    const newestFirst = runs.filter(({ outcomes }) => outcomes[id] !== undefined).reverse();
    if (newestFirst.length === 0) return [];
    const byRow = new Map();
    for (const { at, machine, outcomes } of newestFirst)
      for (const row of shownOf(outcomes[id])) {
        const key = `${row.name} at ${row.links}`;
        const seen = { at, commit: machine.commit, row };
        byRow.set(key, [seen, ...(byRow.get(key) ?? [])]);
      }
    const rows = [...byRow.values()].map((seen) => {
      const { at, commit, row } = seen.at(-1);
      const before = seen.slice(0, -1).map((one) => ({ at: one.at, commit: one.commit, median: one.row.value.median }));
      return { ...row, at, commit, isMet: isMet(row), before };
    });
    // Figures that are held against nothing are in the run's file alone.
    return rows.length === 0 ? [] : [{ id, title, rows }];
  });
}

/** Three digits say all that a measurement can. */
export const number = (value) =>
  value >= 100 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : value.toPrecision(3);

export const goalText = (goal, unit) => {
  if (goal === undefined) return '';
  const text = goal.atMost === undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
  return unit === undefined ? `${text} ×` : `${text} ${unit}`;
};

/** One row for everything that is shown: cells of a table. */
export const TABLE_HEADS = ['id', 'what', 'links', 'median (lowest–highest run)', 'goal', 'met', 'before', 'run'];
export const tableRows = (runs) =>
  standing(runs).flatMap(({ id, rows }) =>
    rows.map(({ at, commit, name, links, unit, goal, value, isMet: met, before }) => {
      const { median, min, max } = value;
      const spread = min === max ? '' : ` (${number(min)}–${number(max)})`;
      return [
        id,
        name,
        links.toLocaleString('en'),
        `${number(median)}${spread}${unit === undefined ? '' : ` ${unit}`}`,
        goalText(goal, unit),
        met === undefined ? '' : met ? 'yes' : 'no',
        before.map((one) => number(one.median)).join(', '),
        `${at.slice(0, 10)}, ${commit}`,
      ];
    }),
  );
