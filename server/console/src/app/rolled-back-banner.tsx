import { PageSection } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { Notice } from '../ui/notice.js';

/** Devices have seen a newer ledger than the server's: it was restored from a backup, and grants nothing. */
export function RolledBackBanner(): ReactElement {
  return (
    <PageSection hasBodyWrapper={false} padding={{ default: 'noPadding' }}>
      <Notice variant="danger" title="Nothing is granted until the ledger is recovered">
        Devices have seen a newer ledger than this one. Run <code>curfew-server recover</code> on the server.
      </Notice>
    </PageSection>
  );
}
