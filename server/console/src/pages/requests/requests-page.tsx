import './requests.css';
import '../../ui/pages.css';
import type { ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { HistoryTab } from './history-tab.js';
import { InboxTab } from './inbox-tab.js';
import { ReviewsTab } from './reviews-tab.js';
import { usePendingRequests } from './use-requests.js';

/** What people ask for: what waits, what was decided, and what still has to be looked at. */
export function RequestsPage(): ReactElement {
  const pending = usePendingRequests();
  const mine = [...pending.items.values()].filter(({ canDecide }) => canDecide).length;
  const reviews = useApiQuery(
    'RequestService/ListAccessRequests',
    { filter: { reviewWaiting: true }, pageSize: 1 },
    { refetchIntervalMs: 10_000 },
  );
  return (
    <>
      <PageHeader title="Requests" description="Who asks for admin rights or access, and why." />
      <PageTabs
        label="Requests"
        tabs={[
          { key: 'inbox', title: 'Inbox', count: mine, content: <InboxTab pending={pending} /> },
          { key: 'reviews', title: 'Reviews', count: reviews.data?.totalSize, content: <ReviewsTab /> },
          { key: 'history', title: 'History', content: <HistoryTab /> },
        ]}
      />
    </>
  );
}
