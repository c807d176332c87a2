import { PageSection } from '@patternfly/react-core';
import { SearchIcon } from '@patternfly/react-icons/dist/esm/icons/search-icon.js';
import { Link } from '@tanstack/react-router';
import { useEffect, type ReactElement } from 'react';
import { EmptyView } from '../ui/states.js';

/** For addresses that lead nowhere. */
export function NotFoundPage(): ReactElement {
  useEffect(() => {
    document.title = 'Not found · Curfew';
  }, []);
  return (
    <PageSection hasBodyWrapper={false}>
      <EmptyView
        title="There is no page here"
        icon={SearchIcon}
        level={1}
        actions={<Link to="/">Go to the overview</Link>}
      >
        The address may be mistyped, or what it led to is gone.
      </EmptyView>
    </PageSection>
  );
}
