import { useState } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import type { PolicyInputJson, PolicyJson } from '../../gen/api.js';
import type { Review } from './review-dialog.js';

/** What a policy is, as the API takes it; refused when somebody else has changed it since. */
export const inputOf = ({
  name = '',
  description = '',
  disabled = false,
  spec = {},
  version = '0',
}: PolicyJson): PolicyInputJson => ({ name, description, disabled, spec, baseVersion: version });

/** Asks the server what it would do, before anything is done. */
export function useReview(): {
  readonly review: Review | undefined;
  /** `onRefused`: for who does not show `error`. */
  readonly ask: (policies: readonly PolicyInputJson[], prune: boolean, onRefused?: (error: Error) => void) => void;
  readonly isBusy: boolean;
  readonly error: Error | null;
  /** Forgets the last answer. */
  readonly close: () => void;
  /** Forgets what was refused. */
  readonly reset: () => void;
} {
  const [review, setReview] = useState<Review>();
  const dryRun = useApiMutation('PolicyService/ApplyPolicies', {
    quiet: true,
    onDone: (plan, request) => setReview({ request, plan }),
  });
  return {
    review,
    ask: (policies, prune, onRefused) =>
      dryRun.mutate(
        { policies: [...policies], prune, dryRun: true },
        onRefused === undefined ? {} : { onError: onRefused },
      ),
    isBusy: dryRun.isPending,
    error: dryRun.error,
    close: () => setReview(undefined),
    reset: () => dryRun.reset(),
  };
}
