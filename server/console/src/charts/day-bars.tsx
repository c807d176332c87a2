import { useId, type ReactElement } from 'react';

/** Two counts of a day, stacked. */
interface DayBar {
  /** 'YYYY-MM-DD'. */
  readonly day: string;
  readonly lower: number;
  readonly upper: number;
}

export interface DayBarsProps {
  readonly title: string;
  readonly days: readonly DayBar[];
  readonly lowerName: string;
  readonly upperName: string;
}

/** The picture's own units: it is stretched to the place that there is. */
const STEP = 10;
const HEIGHT = 100;

/** Every how many days one is named, from the last back. */
const NAMED = 7;

/** The least round number that is no less than the highest bar: 5, 8, 10, 15, 20, 30, … */
function axisTop(highest: number): number {
  for (let power = 1; ; power *= 10)
    for (const step of [1, 1.5, 2, 3, 5, 8]) if (step * power >= Math.max(5, highest)) return step * power;
}

/** '2026-11-03' as '3 Nov'. */
const dayName = (day: string): string =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Bars of days, with a table of the same numbers for those who hear the page. */
export function DayBars({ title, days, lowerName, upperName }: DayBarsProps): ReactElement {
  const id = useId();
  const top = axisTop(days.reduce((most, { lower, upper }) => Math.max(most, lower + upper), 0));
  const total = days.reduce((sum, { lower, upper }) => sum + lower + upper, 0);
  return (
    <figure className="curfew-chart" aria-labelledby={id}>
      <figcaption id={id} className="curfew-chart-title">
        {title}
        <span className="curfew-legend">
          <span className="curfew-key curfew-key-lower" /> {lowerName}
          <span className="curfew-key curfew-key-upper" /> {upperName}
        </span>
      </figcaption>
      <div className="curfew-days">
        <div className="curfew-days-axis" aria-hidden="true">
          <span>{top}</span>
          <span>0</span>
        </div>
        <svg
          viewBox={`0 0 ${days.length * STEP} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${total} in all; the table below has each day`}
        >
          {days.map((bar, index) => (
            <Bar key={bar.day} bar={bar} x={index * STEP} scale={HEIGHT / top} names={[lowerName, upperName]} />
          ))}
        </svg>
        <div className="curfew-days-names" aria-hidden="true">
          {days
            .filter((_bar, index) => (days.length - 1 - index) % NAMED === 0)
            .map(({ day }) => (
              <span key={day}>{dayName(day)}</span>
            ))}
        </div>
      </div>
      <DayTable title={title} days={days} lowerName={lowerName} upperName={upperName} />
    </figure>
  );
}

interface BarProps {
  readonly bar: DayBar;
  readonly x: number;
  readonly scale: number;
  readonly names: readonly [lower: string, upper: string];
}

function Bar({ bar, x, scale, names }: BarProps): ReactElement {
  const { day, lower, upper } = bar;
  const [left, width] = [x + STEP * 0.15, STEP * 0.7];
  return (
    <g>
      <title>{`${dayName(day)}: ${lower} ${names[0]}, ${upper} ${names[1]}`}</title>
      <rect className="curfew-hit" x={x} y={0} width={STEP} height={HEIGHT} />
      <rect className="curfew-bar-lower" x={left} y={HEIGHT - lower * scale} width={width} height={lower * scale} />
      <rect
        className="curfew-bar-upper"
        x={left}
        y={HEIGHT - (lower + upper) * scale}
        width={width}
        height={upper * scale}
      />
    </g>
  );
}

/** The same numbers for those who hear the page. */
function DayTable({ title, days, lowerName, upperName }: DayBarsProps): ReactElement {
  return (
    <table className="pf-v6-screen-reader">
      <caption>{title}</caption>
      <thead>
        <tr>
          <th>Day</th>
          <th>{lowerName}</th>
          <th>{upperName}</th>
        </tr>
      </thead>
      <tbody>
        {days.map(({ day, lower, upper }) => (
          <tr key={day}>
            <th scope="row">{dayName(day)}</th>
            <td>{lower}</td>
            <td>{upper}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
