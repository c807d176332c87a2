import { Breadcrumb, BreadcrumbItem, PageSection } from '@patternfly/react-core';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { PageHeader, type PageHeaderProps } from './page-header.js';
import { ErrorView, LoadingView } from './states.js';

/** What one thing of a list is called, and where that list is. */
export interface ThingKind {
  readonly name: string;
  readonly listName: string;
  readonly listPath: '/devices' | '/users' | '/requests' | '/policies';
}

/** The head of the page of one thing, with the way back to the list above its name. */
export function ThingHeader({
  kind,
  ...header
}: Omit<PageHeaderProps, 'above'> & { readonly kind: ThingKind }): ReactElement {
  const above = (
    <Breadcrumb>
      <BreadcrumbItem>
        <Link to={kind.listPath}>{kind.listName}</Link>
      </BreadcrumbItem>
      <BreadcrumbItem isActive>{kind.name}</BreadcrumbItem>
    </Breadcrumb>
  );
  return <PageHeader {...header} above={above} />;
}

export interface ThingUnknownProps {
  readonly kind: ThingKind;
  /** Null while the thing is being asked for. */
  readonly error: Error | null;
  readonly onRetry: () => void;
}

/** The same page before the thing is there, or when it could not be had. */
export function ThingUnknown({ kind, error, onRetry }: ThingUnknownProps): ReactElement {
  const what = kind.name.toLowerCase();
  return (
    <>
      <ThingHeader kind={kind} title={kind.name} />
      <PageSection hasBodyWrapper={false}>
        {error === null ? (
          <LoadingView what={`the ${what}`} />
        ) : (
          <ErrorView title={`The ${what} could not be loaded`} error={error} onRetry={onRetry} />
        )}
      </PageSection>
    </>
  );
}
