import { strict as assert } from 'node:assert';

/** One series of a scrape. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What /metrics has said. */
export interface Scrape {
  /** The type of each metric by its name. */
  readonly types: ReadonlyMap<string, string>;
  readonly series: readonly Series[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/**
 * Reads Prometheus' text format, line by line, and takes nothing that is not in it
 * (prometheus.io/docs/instrumenting/exposition_formats).
 */
export function readScrape(text: string): Scrape {
  const types = new Map<string, string>();
  const series: Series[] = [];
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, name, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) types.set(name, type);
    else if (!/^# HELP \S+ .+$/.test(line)) series.push(readSeries(line));
  }
  return { types, series };
}

function readSeries(line: string): Series {
  const [, name = '', labelText = '', value = ''] = SAMPLE.exec(line) ?? [];
  assert.notEqual(name, '', `no sample: ${line}`);
  const pairs = [...labelText.matchAll(LABEL)];
  assert.equal(pairs.map(([whole]) => whole).join(''), labelText, `labels of ${line}`);
  assert.ok(value === '+Inf' || Number.isFinite(Number(value)), line);
  return {
    name,
    labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])),
    value: Number(value),
  };
}

/** The value of the one series with these labels; undefined where there is none. */
export function valueOf(
  { series }: Scrape,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = series.filter(
    (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  assert.ok(found.length <= 1, `${name}: ${found.length} series`);
  return found[0]?.value;
}

/** The metrics that a query of Prometheus names. What histograms give is named by the histogram. */
export function metricsIn(query: string): string[] {
  const names = query.match(/\b(?:curfew|process)_[a-z0-9_]+/g) ?? [];
  return names.map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}
