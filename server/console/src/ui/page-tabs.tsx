import { Badge, PageSection, Tab, Tabs, TabTitleText } from '@patternfly/react-core';
import type { ReactElement, ReactNode } from 'react';
import { useAddress } from './use-address.js';

interface PageTab {
  readonly key: string;
  readonly title: string;
  /** How many wait there. Not shown when there are none. */
  readonly count?: number | undefined;
  /** What those do, for screen readers. 'waiting' unless said. */
  readonly countMeans?: string;
  readonly content: ReactNode;
}

export interface PageTabsProps {
  readonly label: string;
  /** The first is shown when the address names none. */
  readonly tabs: readonly PageTab[];
}

/** The tabs of a page. The one that is open stands in the address. */
export function PageTabs({ label, tabs }: PageTabsProps): ReactElement {
  const [address, change] = useAddress();
  const active = tabs.find(({ key }) => key === address['tab']) ?? tabs[0];
  const show = (key: string): void => {
    const cleared = Object.fromEntries(Object.keys(address).map((name) => [name, undefined]));
    change({ ...cleared, tab: key === tabs[0]?.key ? undefined : key }, true);
  };
  return (
    <PageSection hasBodyWrapper={false} className="curfew-tabbed">
      <Tabs
        activeKey={active?.key ?? ''}
        aria-label={label}
        mountOnEnter
        unmountOnExit
        onSelect={(_event, key) => show(String(key))}
      >
        {tabs.map(({ key, title, count = 0, countMeans = 'waiting', content }) => (
          <Tab
            key={key}
            eventKey={key}
            title={
              <TabTitleText>
                {title}
                {count === 0 ? null : (
                  <>
                    {' '}
                    <Badge screenReaderText={countMeans}>{count}</Badge>
                  </>
                )}
              </TabTitleText>
            }
          >
            <div className="curfew-tab-content">{content}</div>
          </Tab>
        ))}
      </Tabs>
    </PageSection>
  );
}
