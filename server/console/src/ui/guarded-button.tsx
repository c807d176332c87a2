import { Button, Tooltip, type ButtonProps } from '@patternfly/react-core';
import type { ReactElement } from 'react';

export interface GuardedButtonProps extends ButtonProps {
  /** Why it cannot be used now, in a sentence. Undefined when it can. */
  readonly refusal: string | undefined;
}

/** A button that, while it cannot be used, stays in its place and says why: on hover, on focus and to screen readers. */
export function GuardedButton({ refusal, ...button }: GuardedButtonProps): ReactElement {
  if (refusal === undefined) return <Button {...button} />;
  return (
    <Tooltip content={refusal} aria="describedby">
      <Button {...button} isAriaDisabled onClick={undefined} />
    </Tooltip>
  );
}
