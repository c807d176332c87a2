import { quantile, spreadOf, type Spread } from './statistics.js';

/** What was measured by itself. It describes this machine at this moment; nothing is concluded from it alone. */
export interface Figure {
  readonly name: string;
  readonly links: number;
  readonly unit: 'ms' | 'a second' | 'calls' | 'KiB' | 'MiB' | 'wake-ups' | 'handles';
  readonly samples: number;
  /** The median over the runs, with the lowest and the highest; p99.9 is over all samples, where there are enough. */
  readonly values: Readonly<Partial<Record<'p50' | 'p90' | 'p99' | 'p99.9', Spread>>>;
  /** In the order of time, where that says something. */
  readonly series?: readonly number[];
  /** Only for what people feel, whatever the machine. */
  readonly goal?: Goal;
}

/** What was measured, divided by a bare baseline of the same run. */
export interface Ratio {
  readonly name: string;
  readonly links: number;
  readonly value: Spread;
  readonly goal?: Goal;
}

export type Goal = { readonly atMost: number } | { readonly atLeast: number };

/** What one benchmark found. */
export interface Outcome {
  readonly ratios: readonly Ratio[];
  readonly figures: readonly Figure[];
  /** What it would have been held against too, where this machine had that; each with the reason. */
  readonly leftOut?: readonly string[];
}

/** A tail needs this many samples before its 99.9th percentile says anything. */
const ENOUGH_FOR_P999 = 2_000;

/** Latencies of several runs: each quantile is the median of the runs' own. */
export function latency(name: string, links: number, runs: readonly (readonly number[])[]): Figure {
  const all = runs.flat();
  const at = (q: number): Spread => spreadOf(runs.map((run) => quantile(run, q)));
  const tail = all.length >= ENOUGH_FOR_P999 ? { 'p99.9': spreadOf([quantile(all, 0.999)]) } : {};
  const values = { p50: at(0.5), p90: at(0.9), p99: at(0.99), ...tail };
  return { name, links, unit: 'ms', samples: all.length, values };
}

/** One number of each run: how long a whole took, or how many there were in a second. */
export const single = (
  name: string,
  links: number,
  unit: Figure['unit'],
  runs: readonly number[],
  goal?: Goal,
): Figure => ({
  name,
  links,
  unit,
  samples: runs.length,
  values: { p50: spreadOf(runs) },
  ...(goal !== undefined && { goal }),
});

/** One number of each span of the time that was watched, in order. */
export const series = (name: string, links: number, unit: Figure['unit'], values: readonly number[]): Figure => ({
  ...single(name, links, unit, values),
  series: values,
});

/** Compares run by run: what disturbs the machine disturbs both sides. */
export function ratio(
  name: string,
  links: number,
  ours: readonly number[],
  bare: readonly number[],
  goal?: Goal,
): Ratio {
  const value = spreadOf(ours.map((own, run) => own / (bare[run] ?? NaN)));
  return { name, links, value, ...(goal !== undefined && { goal }) };
}
