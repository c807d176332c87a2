import { strict as assert } from 'node:assert';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { jsonOf, projectFiles, ROOT, textOf } from './repository-files.js';

interface Shown {
  readonly name: string;
  readonly links: number;
  readonly unit?: string;
  readonly value: { readonly median: number; readonly min: number; readonly max: number };
  readonly goal?: { readonly atMost?: number; readonly atLeast?: number };
  readonly isMet?: boolean;
  readonly before: readonly { readonly median: number; readonly commit: string }[];
}

interface Standing {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Shown[];
}

interface History {
  readonly standing: (runs: readonly object[]) => Standing[];
  readonly tableRows: (runs: readonly object[]) => string[][];
  readonly runFileName: (run: object) => string;
}

const script = async (name: string): Promise<unknown> =>
  import(pathToFileURL(path.join(ROOT, 'packaging/scripts', name)).href);
const history = (): Promise<History> => script('benchmark-history.mjs') as Promise<History>;

const FOLDER = 'docs/benchmarks/';
const kept = (): string[] => projectFiles().filter((file) => file.startsWith(FOLDER));

/** A run of one benchmark, of one ratio and of one figure that has a goal. */
function runOf(day: number, median: number, commit: string, id = 'B1', links = 1_000): object {
  const ratio = { name: 'ours / <theirs>', links, value: { median, min: median / 2, max: median * 2 } };
  const figure = {
    name: 'felt',
    links: 1,
    unit: 'ms',
    goal: { atMost: 250 },
    values: { p50: { median, min: median, max: median } },
  };
  const without = { name: 'described', links: 1, unit: 'ms', values: figure.values };
  return {
    at: `2026-01-0${day}T10:20:30.400Z`,
    machine: { commit },
    outcomes: { [id]: { ratios: [{ ...ratio, goal: { atMost: 4 } }], figures: [figure, without] } },
  };
}

describe('the kept benchmarks', () => {
  it('are tabled as the newest file says that has each of them at so many links', () => {
    const files = kept().filter((file) => file.endsWith('.json'));
    assert.ok(files.length > 0);
    const newest = new Map<string, Shown & { readonly id: string; readonly at: string }>();
    for (const file of files) {
      const { at, outcomes } = jsonOf(file) as { at: string; outcomes: Record<string, Record<string, Shown[]>> };
      for (const [id, outcome] of Object.entries(outcomes))
        for (const row of outcome['ratios'] ?? []) {
          const key = `${id} ${row.name} ${row.links}`;
          if ((newest.get(key)?.at ?? '') < at) newest.set(key, { ...row, id, at });
        }
    }
    const rows = textOf('docs/benchmarks.md')
      .split('<!-- kept runs')[1]
      ?.split('\n')
      .filter((line) => /^\| B\d/.test(line))
      .map((line) => line.split(' | ').map((cell) => cell.replace(/^\||\|$/g, '').trim()));
    const expected = [...newest.values()].map(({ id, name, links, goal, value: { median } }) => {
      const met = goal === undefined ? '' : median <= (goal.atMost ?? Infinity) && median >= (goal.atLeast ?? 0);
      const word = met === '' ? '' : met ? 'yes' : 'no';
      return [id, name, links.toLocaleString('en'), word, Number(median.toPrecision(3))] as const;
    });
    const told = (rows ?? []).map(([id, name, links, figure = '', , met]) => [id, name, links, met, figure] as const);
    for (const [id, name, links, met, median] of expected) {
      const row = told.find((one) => one[0] === id && one[1] === name && one[2] === links);
      assert.ok(row !== undefined, `${id} ${name} is not in the table`);
      assert.equal(row[3], met, name);
      const shown = Number(row[4].split(' ')[0]?.replaceAll(',', ''));
      // From a hundred on only whole numbers are shown.
      assert.ok(Math.abs(shown - median) <= Math.max(0.5, median / 100), `${name}: ${row[4]}`);
    }
  });

  it('each have a chart on the page, and no chart is of nothing', () => {
    const charts = kept().filter((file) => file.endsWith('.svg'));
    const page = textOf('docs/benchmarks.md');
    const shown = [...page.matchAll(/\]\(benchmarks\/(B\w+\.svg)\)/g)].map((match) => `${FOLDER}${match[1] ?? ''}`);
    assert.deepEqual([...charts].sort(), [...shown].sort());
    for (const chart of charts) {
      const text = textOf(chart);
      assert.match(text, /prefers-color-scheme: dark/);
      assert.doesNotMatch(text, /NaN|undefined|Infinity/);
    }
  });

  it('tell of the newest run, whether it is as it should be, and what came before it', async () => {
    const { standing, tableRows, runFileName } = await history();
    const runs = [runOf(1, 8, 'aaa'), runOf(2, 4, 'bbb'), runOf(3, 5, 'ccc', 'B2')];
    assert.deepEqual(runs.map(runFileName).slice(0, 1), ['2026-01-01T102030-aaa.json']);
    assert.deepEqual(tableRows(runs), [
      ['B1', 'ours / <theirs>', '1,000', '4.00 (2.00–8.00)', '≤ 4 ×', 'yes', '8.00', '2026-01-02, bbb'],
      ['B1', 'felt', '1', '4.00 ms', '≤ 250 ms', 'yes', '8.00', '2026-01-02, bbb'],
      ['B2', 'ours / <theirs>', '1,000', '5.00 (2.50–10.0)', '≤ 4 ×', 'no', '', '2026-01-03, ccc'],
      ['B2', 'felt', '1', '5.00 ms', '≤ 250 ms', 'yes', '', '2026-01-03, ccc'],
    ]);
    assert.deepEqual(tableRows([...runs, runOf(4, 6, 'ddd', 'B2', 10_000)]).slice(2), [
      ['B2', 'ours / <theirs>', '10,000', '6.00 (3.00–12.0)', '≤ 4 ×', 'no', '', '2026-01-04, ddd'],
      ['B2', 'felt', '1', '6.00 ms', '≤ 250 ms', 'yes', '5.00', '2026-01-04, ddd'],
      ['B2', 'ours / <theirs>', '1,000', '5.00 (2.50–10.0)', '≤ 4 ×', 'no', '', '2026-01-03, ccc'],
    ]);
    assert.deepEqual(standing([]), []);
    // Nothing can be drawn of figures that are held against nothing.
    assert.deepEqual(standing([{ ...runOf(1, 8, 'aaa'), outcomes: { B1: { ratios: [], figures: [] } } }]), []);
  });

  it('are drawn with every name as text, with a ring for what came before, and a square for what is not met', async () => {
    const { standing } = await history();
    const { drawChart } = (await script('benchmark-charts.mjs')) as {
      drawChart: (benchmark: Standing) => string;
    };
    const drawn = [
      [runOf(1, 8, 'aaa'), runOf(2, 4, 'bbb')],
      [runOf(1, 4, 'aaa'), runOf(2, 8, 'bbb')],
    ].map((runs) => drawChart(standing(runs)[0]!));
    const count = (word: string): number[] => drawn.map((text) => text.split(word).length - 1);
    assert.deepEqual(count('>ours / &lt;theirs&gt;<'), [1, 1]);
    assert.deepEqual(count('class="before"'), [2, 2]);
    assert.deepEqual(count('class="goal"'), [2, 2]);
    assert.deepEqual(count('<rect class="missed"'), [0, 1]);
  });
});
