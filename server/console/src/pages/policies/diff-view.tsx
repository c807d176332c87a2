import { safeText } from '@curfew/shared/browser';
import type { ReactElement } from 'react';
import { diffLines } from './line-diff.js';

const SIGNS = { same: ' ', added: '+', removed: '−' } as const;
const SPOKEN = { same: '', added: 'added: ', removed: 'removed: ' } as const;

export interface DiffViewProps {
  readonly label: string;
  readonly before: string;
  readonly after: string;
}

/** Two texts, with what is gone and what is new. */
export function DiffView({ label, before, after }: DiffViewProps): ReactElement {
  const lines = diffLines(before, after);
  return (
    // It scrolls, so that the keyboard has to reach it.
    <div className="curfew-diff" role="region" aria-label={label} tabIndex={0}>
      {lines.map(({ kind, text }, index) => (
        <div key={index} className={`curfew-diff-${kind}`}>
          <span aria-hidden className="curfew-diff-sign">
            {SIGNS[kind]}
          </span>
          {kind === 'same' ? null : <span className="curfew-spoken">{SPOKEN[kind]}</span>}
          {safeText(text)}
        </div>
      ))}
    </div>
  );
}
