import {
  Bullseye,
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Spinner,
} from '@patternfly/react-core';
import type { ComponentType, ReactElement, ReactNode } from 'react';
import { errorSentence } from '../api/api-error.js';
import { Notice } from './notice.js';

/** While the first answer is awaited. */
export function LoadingView({ what }: { readonly what: string }): ReactElement {
  return (
    <Bullseye className="curfew-loading">
      <Spinner size="lg" aria-label={`Loading ${what}`} />
    </Bullseye>
  );
}

export interface ErrorViewProps {
  /** What could not be done, such as 'The sessions could not be loaded'. */
  readonly title: string;
  readonly error: unknown;
  readonly onRetry?: () => void;
}

/** Says what happened, and offers to try again. */
export function ErrorView({ title, error, onRetry }: ErrorViewProps): ReactElement {
  return (
    <Notice
      variant="danger"
      title={title}
      actionLinks={
        onRetry === undefined ? undefined : (
          <Button variant="link" isInline onClick={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {errorSentence(error)}
    </Notice>
  );
}

export interface EmptyViewProps {
  readonly title: string;
  readonly icon?: ComponentType;
  /** Says what to do. */
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  /** 1 where the page has no other head. */
  readonly level?: 1 | 2;
}

/** Nothing is here: says why, and what to do. */
export function EmptyView({ title, icon, children, actions, level = 2 }: EmptyViewProps): ReactElement {
  return (
    <EmptyState titleText={title} headingLevel={`h${level}`} variant="sm" {...(icon === undefined ? {} : { icon })}>
      <EmptyStateBody>{children}</EmptyStateBody>
      {actions === undefined ? null : (
        <EmptyStateFooter>
          <EmptyStateActions>{actions}</EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  );
}
