import { createContext, useContext } from 'react';
import { roleRefusal, type Method } from '../api/method-roles.js';
import type { SignedIn } from './auth-state.js';

export const SignedInContext = createContext<SignedIn | undefined>(undefined);

/** Who is signed in. Only below the shell, where somebody always is. */
export function useSignedIn(): SignedIn {
  const signedIn = useContext(SignedInContext);
  if (signedIn === undefined) throw new Error('used where nobody is signed in');
  return signedIn;
}

/** Why the person may not call the method, in a sentence; undefined when they may. For GuardedButton. */
export function useRefusal(method: Method): string | undefined {
  return roleRefusal(useSignedIn().user.role, method);
}
