import { Button } from '@patternfly/react-core';
import { Component, type ReactNode } from 'react';
import { ErrorView } from '../ui/states.js';

interface Props {
  readonly children: ReactNode;
  /** A change of this, such as the path, tries again. */
  readonly resetKey: string;
}

/** Shows what went wrong in place of the part that failed, and leaves the rest of the page usable. */
export class ErrorBoundary extends Component<Props, { error: Error | undefined }> {
  override state: { error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidUpdate(previous: Props): void {
    if (previous.resetKey !== this.props.resetKey && this.state.error !== undefined)
      this.setState({ error: undefined });
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="curfew-boundary">
        <ErrorView
          title="This page could not be shown"
          error={this.state.error}
          onRetry={() => this.setState({ error: undefined })}
        />
        <Button variant="secondary" onClick={() => location.reload()}>
          Reload the page
        </Button>
      </div>
    );
  }
}
