import { Page, SkipToContent } from '@patternfly/react-core';
import { Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useState, type ReactElement } from 'react';
import { useApiQuery } from '../api/use-api.js';
import { ErrorBoundary } from './error-boundary.js';
import { RolledBackBanner } from './rolled-back-banner.js';
import { SideNav } from './side-nav.js';
import { TopBar } from './top-bar.js';

/** From this width on the side is open by itself; the same point as PatternFly's 'xl'. */
const WIDE = '(min-width: 75rem)';

/** The frame of every page. */
export function Shell(): ReactElement {
  const [isOpen, setOpen] = useState(() => matchMedia(WIDE).matches);
  const { pathname } = useLocation();
  // Also keeps the server's time known: each answer has it.
  const info = useApiQuery('ServerService/GetServerInfo', {}, { refetchIntervalMs: 60_000 });
  useEffect(() => {
    const wide = matchMedia(WIDE);
    const follow = (): void => setOpen(wide.matches);
    wide.addEventListener('change', follow);
    return () => wide.removeEventListener('change', follow);
  }, []);
  const closeWhenNarrow = (): void => {
    if (!matchMedia(WIDE).matches) setOpen(false);
  };
  return (
    <Page
      masthead={<TopBar isSidebarOpen={isOpen} onToggleSidebar={() => setOpen(!isOpen)} />}
      sidebar={isOpen ? <SideNav onChoose={closeWhenNarrow} /> : undefined}
      skipToContent={<SkipToContent href="#main">Skip to content</SkipToContent>}
      mainContainerId="main"
      mainTabIndex={-1}
    >
      {info.data?.rolledBack === true ? <RolledBackBanner /> : null}
      <ErrorBoundary resetKey={pathname}>
        <Outlet />
      </ErrorBoundary>
    </Page>
  );
}
