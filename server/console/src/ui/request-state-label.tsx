import type { RequestState } from '@curfew/shared/browser';
import { Label, type LabelProps } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { REQUEST_STATE_NAMES } from '../model/request.js';

const COLORS: Readonly<Record<RequestState, NonNullable<LabelProps['color']>>> = {
  pending: 'blue',
  approved: 'green',
  denied: 'red',
  cancelled: 'grey',
  timed_out: 'grey',
  started: 'teal',
  lapsed: 'grey',
};

/** Where a request stands. */
export function RequestStateLabel({ state }: { readonly state: RequestState }): ReactElement {
  return (
    <Label color={COLORS[state]} isCompact>
      {REQUEST_STATE_NAMES[state]}
    </Label>
  );
}
