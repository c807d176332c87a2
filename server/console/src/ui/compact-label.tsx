import type { ReactElement } from 'react';

export interface CompactLabelProps {
  readonly color: 'green' | 'blue' | 'orange' | 'grey';
  readonly icon: ReactElement;
  readonly children: string;
}

/**
 * PatternFly's compact label as markup: its component measures itself and listens to all clicks and keys of the page,
 * which is much where every row of a list has one.
 */
export const CompactLabel = ({ color, icon, children }: CompactLabelProps): ReactElement => (
  <span className={`pf-v6-c-label pf-m-filled pf-m-compact${color === 'grey' ? '' : ` pf-m-${color}`}`}>
    <span className="pf-v6-c-label__content">
      <span className="pf-v6-c-label__icon">{icon}</span>
      <span className="pf-v6-c-label__text">{children}</span>
    </span>
  </span>
);
