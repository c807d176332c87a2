import { useId, type ReactElement } from 'react';
import { SafeText } from '../ui/safe-text.js';

export interface CountBarsProps {
  readonly title: string;
  readonly counts: readonly { readonly name: string; readonly count: number }[];
}

/** How often each of a few things came: a list that can be read, with a bar beside each. */
export function CountBars({ title, counts }: CountBarsProps): ReactElement {
  const id = useId();
  const most = counts.reduce((highest, { count }) => Math.max(highest, count), 1);
  return (
    <figure className="curfew-chart" aria-labelledby={id}>
      <figcaption id={id} className="curfew-chart-title">
        {title}
      </figcaption>
      {counts.length === 0 ? <p className="curfew-detail">Nothing in the last 30 days.</p> : null}
      <ol className="curfew-counts">
        {counts.map(({ name, count }) => (
          <li key={name}>
            <span className="curfew-count-name">
              <SafeText text={name === '' ? '(none)' : name} />
            </span>
            <svg className="curfew-count-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
              <rect className="curfew-bar-lower" width={(100 * count) / most} height="8" rx="1" />
            </svg>
            <span className="curfew-digits">{count}</span>
          </li>
        ))}
      </ol>
    </figure>
  );
}
