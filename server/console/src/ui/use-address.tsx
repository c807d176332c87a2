import { useLocation, useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { definedOnly, textParam } from '../app/page-search.js';

/** The parameters of the address. */
export type Address = Readonly<Record<string, string | undefined>>;

/**
 * What the address says, and a way to change parts of it: empty text takes a part out. The page stays; a change takes
 * the place of the last one in the browser's history unless it is a step of its own.
 */
export function useAddress(): readonly [Address, (changes: Address, isStep?: boolean) => void] {
  const { search } = useLocation();
  const navigate = useNavigate();
  const address = search as Address;
  const change = useCallback(
    (changes: Address, isStep = false) => {
      const merge = (before: object): object =>
        definedOnly(
          Object.fromEntries(Object.entries({ ...before, ...changes }).map(([key, value]) => [key, textParam(value)])),
        );
      void navigate({ to: '.', search: merge as never, replace: !isStep });
    },
    [navigate],
  );
  return [address, change];
}
