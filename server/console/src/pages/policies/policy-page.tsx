import '../../ui/pages.css';
import './policies.css';
import { Label } from '@patternfly/react-core';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { PolicyJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { SafeText } from '../../ui/safe-text.js';
import { ThingHeader, ThingUnknown } from '../../ui/thing-page.js';
import { Ago } from '../../ui/times.js';
import { PolicyEditor } from './policy-editor.js';
import { formFromPolicy } from './policy-form.js';
import { ReviewDialog } from './review-dialog.js';
import { inputOf, useReview } from './use-review.js';
import { VersionsTab } from './versions-tab.js';

const route = getRouteApi('/policies/$policyName');

const KIND = { name: 'Policy', listName: 'Policies', listPath: '/policies' } as const;

/** One policy: what it says, and what it said. */
export function PolicyPage(): ReactElement {
  const { policyName } = route.useParams();
  const answer = useApiQuery('PolicyService/GetPolicy', { policy: policyName });
  const policy = answer.data?.policy;
  if (policy === undefined)
    return <ThingUnknown kind={KIND} error={answer.error} onRetry={() => void answer.refetch()} />;
  return (
    <>
      <ThingHeader
        kind={KIND}
        title={policy.name ?? ''}
        description={<PolicyStanding policy={policy} />}
        actions={<RemoveButton policy={policy} />}
      />
      <PageTabs
        label="Policy"
        tabs={[
          {
            key: 'edit',
            title: 'What it says',
            // A new version is a new beginning for the form.
            content: (
              <PolicyEditor
                key={policy.version}
                isNew={false}
                baseVersion={policy.version}
                initial={formFromPolicy(policy)}
                onApplied={() => undefined}
              />
            ),
          },
          {
            key: 'versions',
            title: 'Versions',
            content: <VersionsTab policy={policy} versions={answer.data?.versions ?? []} />,
          },
        ]}
      />
    </>
  );
}

function PolicyStanding({ policy }: { readonly policy: PolicyJson }): ReactElement {
  return (
    <span className="curfew-buttons">
      <SafeText text={policy.description ?? ''} />
      {policy.disabled === true ? (
        <Label color="orange" isCompact>
          left out
        </Label>
      ) : null}
      <span className="curfew-subtle">
        {policy.position === undefined ? '' : `number ${policy.position} in the order, `}version {policy.version},
        changed <Ago at={timeFromProto(policy.updateTime)} /> by <SafeText text={policy.updatedBy ?? ''} />
      </span>
    </span>
  );
}

/** Removes the policy: the others stay, in their order. */
function RemoveButton({ policy }: { readonly policy: PolicyJson }): ReactElement {
  const { toasts, api } = useServices();
  const navigate = useNavigate();
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  const { review, ask, isBusy, close } = useReview();
  const [isLoading, setLoading] = useState(false);
  const begin = async (): Promise<void> => {
    setLoading(true);
    try {
      const { policies = [] } = await api.call('PolicyService/ListPolicies', {});
      ask(policies.filter(({ name }) => name !== policy.name).map(inputOf), true, (error) =>
        toasts.show('danger', 'The policy was not removed', errorSentence(error)),
      );
    } catch (error) {
      toasts.show('danger', 'The policies could not be loaded', errorSentence(error));
    } finally {
      setLoading(false);
    }
  };
  return (
    <>
      <GuardedButton
        variant="secondary"
        isDanger
        refusal={refusal}
        isLoading={isBusy || isLoading}
        onClick={() => void begin()}
      >
        Remove…
      </GuardedButton>
      {review === undefined ? null : (
        <ReviewDialog review={review} onClose={close} onApplied={() => void navigate({ to: '/policies' })} />
      )}
    </>
  );
}
