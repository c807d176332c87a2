import { renderTable, type Column, type Look } from '@curfew/shared/cli';
import type { Figure, Goal, Outcome, Ratio } from './outcome.js';
import type { Spread } from './statistics.js';

/** Three digits say all that a measurement can. */
const number = (value: number): string =>
  value >= 100 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : value.toPrecision(3);
const spread = ({ median, min, max }: Spread): string =>
  min === max ? number(median) : `${number(median)} (${number(min)}–${number(max)})`;
const count = (value: number): string => value.toLocaleString('en');

const goal = (wanted: Goal | undefined): string => {
  if (wanted === undefined) return '';
  return 'atMost' in wanted ? `≤ ${wanted.atMost}` : `≥ ${wanted.atLeast}`;
};

const RATIO_COLUMNS: readonly Column<Ratio>[] = [
  { title: 'RATIO', value: ({ name }) => name, style: () => 'bold' },
  { title: 'LINKS', value: ({ links }) => count(links) },
  { title: 'MEDIAN (LOWEST–HIGHEST RUN)', value: ({ value }) => spread(value) },
  { title: 'GOAL', value: (ratio) => goal(ratio.goal) },
];

const at = (title: keyof Figure['values']) => (figure: Figure) => {
  const value = figure.values[title];
  return value === undefined ? '' : spread(value);
};

const FIGURE_COLUMNS: readonly Column<Figure>[] = [
  { title: 'FIGURE', value: ({ name }) => name },
  { title: 'LINKS', value: ({ links }) => count(links) },
  { title: 'UNIT', value: ({ unit }) => unit },
  { title: 'P50', value: at('p50') },
  { title: 'P90', value: at('p90') },
  { title: 'P99', value: at('p99') },
  { title: 'P99.9', value: at('p99.9') },
  { title: 'SAMPLES', value: ({ samples }) => count(samples) },
  { title: 'GOAL', value: (figure) => goal(figure.goal) },
];

/** The two tables of a benchmark: what was compared, and what was measured; then what could not be. */
export const renderOutcome = ({ ratios, figures, leftOut = [] }: Outcome, look: Look): string =>
  [
    renderTable(RATIO_COLUMNS, ratios, look),
    renderTable(FIGURE_COLUMNS, figures, look),
    ...leftOut.map((line) => `left out: ${line}\n`),
  ].join('\n');
