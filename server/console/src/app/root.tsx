import { useLocation } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { AuthGate } from '../auth/auth-gate.js';
import { ErrorBoundary } from './error-boundary.js';
import { Shell } from './shell.js';
import { ToastList } from './toast-list.js';

/** What every address shows: the frame for those who are signed in, the sign-in for the others. */
export function Root(): ReactElement {
  const { pathname } = useLocation();
  return (
    <ErrorBoundary resetKey={pathname}>
      <AuthGate>
        <Shell />
      </AuthGate>
      <ToastList />
    </ErrorBoundary>
  );
}
