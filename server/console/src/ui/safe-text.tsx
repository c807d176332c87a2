import { safeText } from '@curfew/shared/browser';
import type { ReactElement } from 'react';

/** Text of a person or a device. What is invisible or turns the direction of text round is shown as its code. */
export function SafeText({ text }: { readonly text: string }): ReactElement {
  return <bdi>{safeText(text)}</bdi>;
}
