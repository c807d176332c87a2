import { Card, CardBody } from '@patternfly/react-core';
import type { ReactElement, ReactNode } from 'react';

export interface StatCardProps {
  readonly label: string;
  readonly value: string;
  /** What to do about it, or what it is of. */
  readonly note?: string;
  /** Draws the eye: somebody should look. */
  readonly isAlarming?: boolean;
  /** A link that covers the card; its text is the label. */
  readonly link: (children: ReactNode) => ReactElement;
}

/** One number that leads to what it counts. */
export function StatCard({ label, value, note, isAlarming = false, link }: StatCardProps): ReactElement {
  return (
    <Card isCompact isFullHeight className={isAlarming ? 'curfew-stat curfew-stat-alarming' : 'curfew-stat'}>
      <CardBody>
        <div className="curfew-stat-value curfew-digits">{value}</div>
        <div>{link(label)}</div>
        {note === undefined ? null : <div className="curfew-detail">{note}</div>}
      </CardBody>
    </Card>
  );
}
