import { Badge, PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import { getRouteApi } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PageHeader } from '../../ui/page-header.js';
import {
  queryFromSearch,
  searchFromQuery,
  TAB_KIND,
  TABS,
  withoutFilters,
  type SessionQuery,
  type Tab as TabName,
} from './session-query.js';
import { SessionsPanel } from './sessions-panel.js';
import { useSessionCount } from './use-session-list.js';

const route = getRouteApi('/sessions');

// Few need it, so it comes when it is asked for.
const GrantDialog = lazy(() =>
  import('./grant-dialog.js').then(({ GrantDialog: component }) => ({ default: component })),
);

const TITLES: Readonly<Record<TabName, string>> = { 'device-admin': 'Device Admin', 'timed-access': 'Timed Access' };

/** Who holds which right now, and for how long. */
export function SessionsPage(): ReactElement {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useMemo(() => queryFromSearch(search), [search]);
  const setQuery = useCallback(
    (next: SessionQuery, isStep = false) => void navigate({ search: searchFromQuery(next), replace: !isStep }),
    [navigate],
  );
  const [isGiving, setGiving] = useState(false);
  const refusal = useRefusal('SessionService/GrantSession');
  const counts = {
    'device-admin': useSessionCount(TAB_KIND['device-admin']),
    'timed-access': useSessionCount(TAB_KIND['timed-access']),
  };
  return (
    <>
      <PageHeader
        title="Active Sessions"
        description="Everybody who holds admin rights or timed access now. A revoke takes the right away at once, however much time is left."
        actions={
          <GuardedButton variant="secondary" refusal={refusal} onClick={() => setGiving(true)}>
            Give a session…
          </GuardedButton>
        }
      />
      <PageSection hasBodyWrapper={false} type="tabs">
        <Tabs
          aria-label="Kinds of sessions"
          activeKey={query.tab}
          onSelect={(_event, key) =>
            setQuery(
              {
                ...withoutFilters(query),
                tab: key as TabName,
                sort: 'expire_time',
                descending: false,
                open: undefined,
              },
              true,
            )
          }
        >
          {TABS.map((tab) => (
            <Tab
              key={tab}
              eventKey={tab}
              tabContentId="sessions-panel"
              title={
                <TabTitleText>
                  {TITLES[tab]} <Badge isRead={query.tab !== tab}>{counts[tab]?.toLocaleString('en') ?? '…'}</Badge>
                </TabTitleText>
              }
            />
          ))}
        </Tabs>
      </PageSection>
      <SessionsPanel key={query.tab} query={query} setQuery={setQuery} />
      {isGiving ? (
        <Suspense>
          <GrantDialog kind={TAB_KIND[query.tab]} onClose={() => setGiving(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
