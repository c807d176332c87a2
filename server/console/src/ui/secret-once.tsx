import type { InstantMs } from '@curfew/shared/browser';
import { ClipboardCopy } from '@patternfly/react-core';
import { Notice } from './notice.js';
import type { ReactElement, ReactNode } from 'react';
import { Moment } from './times.js';

export interface CopyTextProps {
  /** What it is, for screen readers. */
  readonly label: string;
  readonly text: string;
}

/** A line to be copied. */
export function CopyText({ label, text }: CopyTextProps): ReactElement {
  return (
    <ClipboardCopy
      isReadOnly
      isCode
      hoverTip="Copy"
      clickTip="Copied"
      textAriaLabel={label}
      copyAriaLabel={`Copy: ${label}`}
      className="curfew-copy"
    >
      {text}
    </ClipboardCopy>
  );
}

export interface SecretOnceProps extends CopyTextProps {
  readonly children?: ReactNode;
}

/** A secret that the server does not show again. */
export function SecretOnce({ label, text, children }: SecretOnceProps): ReactElement {
  return (
    <>
      <Notice variant="warning" className="curfew-named" title="This is shown once. Keep it now.">
        {children}
      </Notice>
      <CopyText label={label} text={text} />
    </>
  );
}

/** Until when a secret works; nothing for one that has no end. */
export const WorksUntil = ({ at }: { readonly at: InstantMs | undefined }): ReactElement | null =>
  at === undefined ? null : (
    <>
      {' '}
      It works until <Moment at={at} />.
    </>
  );
