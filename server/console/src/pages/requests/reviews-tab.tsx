import { CheckCircleIcon } from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import { useState, type ReactElement } from 'react';
import { useSignedIn } from '../../auth/use-auth.js';
import type { RequestView } from '../../model/request.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { ReviewDialog } from './decide-dialog.js';
import { reviewRefusal } from './decide-refusal.js';
import { useSingleKeys } from '../../ui/key-help.js';
import { RequestList } from './request-list.js';
import { byAge, useWaitingReviews } from './use-requests.js';

/** Break-glass sessions that somebody still has to look at. */
export function ReviewsTab(): ReactElement {
  const { user } = useSignedIn();
  const waiting = useWaitingReviews();
  const [hasKeys] = useSingleKeys();
  const [reviewing, setReviewing] = useState<{ request: RequestView; accepts: boolean }>();
  const shown = [...waiting.items.values()].sort(byAge);
  const review = (accepts: boolean) => (request: RequestView) => {
    if (reviewRefusal(user, request) === undefined) setReviewing({ request, accepts });
  };
  if (waiting.error !== undefined) return <ErrorView title="The reviews could not be loaded" error={waiting.error} />;
  if (!waiting.synced && shown.length === 0) return <LoadingView what="reviews" />;
  if (shown.length === 0)
    return (
      <EmptyView title="Nothing to review" icon={CheckCircleIcon}>
        When somebody starts a session before it is approved (break-glass), it waits here until an approver has looked
        at it.
      </EmptyView>
    );
  return (
    <>
      <RequestList
        label="Break-glass sessions that wait for their review"
        requests={shown}
        hasKeys={hasKeys}
        commands={{ a: review(true), d: review(false) }}
        actions={(request) => {
          const refusal = reviewRefusal(user, request);
          return (
            <>
              <GuardedButton size="sm" refusal={refusal} onClick={() => review(true)(request)}>
                It was right
              </GuardedButton>
              <GuardedButton size="sm" variant="secondary" refusal={refusal} onClick={() => review(false)(request)}>
                It was wrong
              </GuardedButton>
            </>
          );
        }}
      />
      {reviewing === undefined ? null : <ReviewDialog {...reviewing} onClose={() => setReviewing(undefined)} />}
    </>
  );
}
