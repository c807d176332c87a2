import { Bullseye, Spinner } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { useServices } from '../app/services.js';
import { ErrorView } from '../ui/states.js';
import { AUTH_KEY } from './auth-actions.js';
import { ChangePasswordPage } from './change-password-page.js';
import { SignInPage } from './sign-in-page.js';
import { SignedInContext } from './use-auth.js';

/** Lets only those through who are signed in and have a password of their own; the others stay at the same address. */
export function AuthGate({ children }: { readonly children: ReactNode }): ReactElement {
  const { auth } = useServices();
  const state = useQuery({ queryKey: AUTH_KEY, queryFn: () => auth.state(), staleTime: Infinity });
  if (state.isPending)
    return (
      <Bullseye className="curfew-sign-in">
        <Spinner aria-label="Loading" />
      </Bullseye>
    );
  if (state.data === undefined)
    return (
      <main className="curfew-sign-in">
        <ErrorView title="The console cannot start" error={state.error} onRetry={() => void state.refetch()} />
      </main>
    );
  if (!state.data.signedIn) return <SignInPage methods={state.data.methods} />;
  if (state.data.mustChangePassword) return <ChangePasswordPage user={state.data.user} />;
  return <SignedInContext value={state.data}>{children}</SignedInContext>;
}
