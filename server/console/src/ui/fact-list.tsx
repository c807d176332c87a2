import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core';
import type { ReactElement, ReactNode } from 'react';

export interface FactListProps {
  /** What is undefined is left out. */
  readonly facts: readonly (readonly [name: string, value: ReactNode])[];
  readonly isCompact?: boolean;
}

/** Names and values, side by side where there is room. */
export function FactList({ facts, isCompact = true }: FactListProps): ReactElement {
  return (
    <DescriptionList isHorizontal isCompact={isCompact} className="curfew-facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== '' && value !== null)
        .map(([name, value]) => (
          <DescriptionListGroup key={name}>
            <DescriptionListTerm>{name}</DescriptionListTerm>
            <DescriptionListDescription>{value}</DescriptionListDescription>
          </DescriptionListGroup>
        ))}
    </DescriptionList>
  );
}
