import { useLocation, useRouter } from '@tanstack/react-router';
import { useCallback, useEffect, useState, type ReactElement } from 'react';
import { useServices } from '../app/services.js';
import { LoadingView } from '../ui/states.js';
import { SIGN_IN_PATH, signInLanding, type SignInLanding } from './sign-in-landing.js';

/** What the address says to who is about to sign in, and the way on from there. */
export function useLanding(): SignInLanding & { readonly goOn: () => void } {
  const { pathname, searchStr } = useLocation();
  const { history } = useRouter();
  const landing = signInLanding(pathname, searchStr);
  const { next } = landing;
  const goOn = useCallback(() => {
    if (pathname === SIGN_IN_PATH) history.replace(next);
  }, [pathname, next, history]);
  return { ...landing, goOn };
}

/** The page at '/sign-in' for who is signed in: on to what they wanted, with a word on what went wrong at the provider. */
export function LandingPage(): ReactElement {
  const { toasts } = useServices();
  const [{ problem, goOn }] = useState(useLanding());
  useEffect(() => {
    if (problem !== undefined) toasts.show('danger', 'The provider has proved nothing', problem);
    goOn();
  }, [problem, goOn, toasts]);
  return <LoadingView what="the page" />;
}
