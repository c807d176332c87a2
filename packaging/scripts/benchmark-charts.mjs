// Draws what is kept of the benchmarks, as SVG that can be read on light and on dark.
import { goalText, number } from './benchmark-history.mjs';

const [WIDTH, VALUES, ROW, TOP, BOTTOM] = [1000, 160, 26, 64, 44];
/** How wide a letter of a name is at the most, on the whole; the last letters are the number of links. */
const [LETTER, LINKS] = [6.6, 9];
const PLOT_END = WIDTH - VALUES;

const escaped = (text) =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .small { font-size: 11px; fill: #59636e; }
  .back { fill: #ffffff; }
  .grid { stroke: #d1d9e0; }
  .spread { stroke: #59636e; stroke-width: 2; }
  .met { fill: #1a7f37; }
  .missed { fill: #cf222e; }
  .open { fill: #0969da; }
  .before { fill: none; stroke: #59636e; }
  .goal { stroke: #1f2328; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .small { fill: #9198a1; }
    .back { fill: #0d1117; }
    .grid { stroke: #3d444d; }
    .spread { stroke: #9198a1; }
    .met { fill: #3fb950; }
    .missed { fill: #f85149; }
    .open { fill: #4493f8; }
    .before { stroke: #9198a1; }
    .goal { stroke: #f0f6fc; }
  }`;

/** Powers of ten and what lies between them, as far as there are values. */
function axis(values, start) {
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => Math.max(value, 1e-6));
  const [from, to] = [
    Math.floor(Math.log10(low)),
    Math.max(Math.ceil(Math.log10(high)), Math.floor(Math.log10(low)) + 1),
  ];
  const at = (value) => start + ((Math.log10(Math.max(value, 1e-6)) - from) / (to - from)) * (PLOT_END - start);
  return { at, ticks: Array.from({ length: to - from + 1 }, (_, step) => 10 ** (from + step)) };
}

const kindOf = ({ isMet }) => (isMet === undefined ? 'open' : isMet ? 'met' : 'missed');
const SAYS = { met: 'met', missed: 'not met', open: '' };

function drawnRow(row, index, at, start) {
  const y = TOP + index * ROW + ROW / 2;
  const { name, links, value, goal, unit, before } = row;
  const x = (text) => text.toFixed(1);
  const goalAt = goal === undefined ? undefined : at(goal.atMost ?? goal.atLeast);
  const kind = kindOf(row);
  const shape =
    kind === 'missed'
      ? `<rect class="missed" x="${x(at(value.median) - 5)}" y="${y - 5}" width="10" height="10"/>`
      : `<circle class="${kind}" cx="${x(at(value.median))}" cy="${y}" r="5.5"/>`;
  return [
    `<text x="${(start - 12).toFixed(1)}" y="${y + 4}" text-anchor="end">${escaped(name)}<tspan class="small"> · ${links.toLocaleString('en')}</tspan></text>`,
    `<line class="spread" x1="${x(at(value.min))}" x2="${x(at(value.max))}" y1="${y}" y2="${y}"/>`,
    ...before.map(({ median }) => `<circle class="before" cx="${x(at(median))}" cy="${y}" r="4"/>`),
    ...(goalAt === undefined
      ? []
      : [`<line class="goal" x1="${x(goalAt)}" x2="${x(goalAt)}" y1="${y - 10}" y2="${y + 10}"/>`]),
    shape,
    `<text x="${PLOT_END + 12}" y="${y + 4}">${number(value.median)}<tspan class="small"> ${escaped([goalText(goal, unit), SAYS[kind]].filter(Boolean).join(', '))}</tspan></text>`,
  ];
}

/** One benchmark: a row for each thing that was measured, on a scale of powers of ten, with its goal and what it was before. */
export function drawChart({ id, title, rows }) {
  // Those of the newest run come first.
  const [{ at: moment, commit }] = rows;
  const values = rows.flatMap(({ value, goal, before }) => [
    value.min,
    value.max,
    ...(goal === undefined ? [] : [goal.atMost ?? goal.atLeast]),
    ...before.map(({ median }) => median),
  ]);
  const start = 24 + LETTER * (LINKS + Math.max(...rows.map(({ name }) => name.length)));
  const { at, ticks } = axis(values, start);
  const height = TOP + rows.length * ROW + BOTTOM;
  const end = TOP + rows.length * ROW;
  const legend =
    'line: lowest to highest run · upright mark: goal · circle: met, or without a goal · square: not met · ring: an earlier run';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escaped(`${id}: ${title}`)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="16" y="24">${escaped(`${id}  ${title}`)}</text>`,
    `<text class="small" x="16" y="44">${escaped(`${moment.slice(0, 10)}, commit ${commit}`)}</text>`,
    ...ticks.flatMap((tick) => [
      `<line class="grid" x1="${at(tick).toFixed(1)}" x2="${at(tick).toFixed(1)}" y1="${TOP}" y2="${end}"/>`,
      `<text class="small" x="${at(tick).toFixed(1)}" y="${end + 16}" text-anchor="middle">${tick.toLocaleString('en', { maximumSignificantDigits: 3 })}</text>`,
    ]),
    ...rows.flatMap((row, index) => drawnRow(row, index, at, start)),
    `<text class="small" x="16" y="${end + 36}">${escaped(legend)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
