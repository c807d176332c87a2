import { useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useServices } from '../app/services.js';
import type { AuthState } from './auth-state.js';

/** Under which the state of the sign-in is kept. */
export const AUTH_KEY = ['auth-state'] as const;

/** Keeps a new state of the sign-in. What another person had loaded is forgotten. */
export function useSetAuthState(): (state: AuthState) => void {
  const client = useQueryClient();
  return useCallback(
    (state) => {
      const before = client.getQueryData<AuthState>(AUTH_KEY);
      const who = (one: AuthState | undefined): string | undefined =>
        one?.signedIn === true ? one.user.id : undefined;
      client.setQueryData(AUTH_KEY, state);
      if (who(before) !== who(state))
        client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== AUTH_KEY[0] });
    },
    [client],
  );
}

/** Signs out here and, where the server says so, goes on to the provider to sign out there as well. */
export function useSignOut(): () => Promise<void> {
  const { auth } = useServices();
  const setState = useSetAuthState();
  return useCallback(async () => {
    const providerUrl = await auth.signOut();
    if (providerUrl !== undefined) {
      location.assign(providerUrl);
      return;
    }
    setState(await auth.state());
  }, [auth, setState]);
}
