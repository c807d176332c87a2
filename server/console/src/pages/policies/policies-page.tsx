import '../../ui/pages.css';
import './policies.css';
import { Breadcrumb, BreadcrumbItem, PageSection } from '@patternfly/react-core';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { PolicyJson } from '../../gen/api.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { useAddress } from '../../ui/use-address.js';
import { ExplainTab } from './explain-tab.js';
import { PolicyEditor } from './policy-editor.js';
import { PolicyFileTab } from './policy-file-tab.js';
import { PolicyListTab } from './policy-list-tab.js';

/** Who may ask for what, on what terms. */
export function PoliciesPage(): ReactElement {
  const [address, change] = useAddress();
  const refusal = useRefusal('PolicyService/ApplyPolicies');
  if (address['new'] !== undefined && refusal === undefined) return <NewPolicy />;
  const begin = (): void => change({ new: '1', tab: undefined }, true);
  return (
    <>
      <PageHeader
        title="Policies"
        description="Who may ask for what, for how long, and who decides. The first that is about a request decides."
        actions={
          <GuardedButton refusal={refusal} onClick={begin}>
            New policy…
          </GuardedButton>
        }
      />
      <PageTabs
        label="Policies"
        tabs={[
          { key: 'list', title: 'In order', content: <WithPolicies show="list" onNew={begin} /> },
          { key: 'explain', title: 'Would this be allowed?', content: <ExplainTab /> },
          { key: 'text', title: 'As text', content: <WithPolicies show="text" onNew={begin} /> },
        ]}
      />
    </>
  );
}

interface WithPoliciesProps {
  readonly show: 'list' | 'text';
  readonly onNew: () => void;
}

function WithPolicies({ show, onNew }: WithPoliciesProps): ReactElement {
  const answer = useApiQuery('PolicyService/ListPolicies', {}, { refetchIntervalMs: 10_000 });
  if (answer.error !== null)
    return (
      <ErrorView title="The policies could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="policies" />;
  const policies = answer.data.policies ?? [];
  return show === 'list' ? (
    <PolicyListTab policies={policies} onNew={onNew} />
  ) : (
    <PolicyFileTab key={versionsOf(policies)} policies={policies} />
  );
}

/** Another text once any policy is another. */
const versionsOf = (policies: readonly PolicyJson[]): string =>
  policies.map(({ name = '', version = '' }) => `${name} ${version}`).join();

function NewPolicy(): ReactElement {
  const navigate = useNavigate();
  return (
    <>
      <PageHeader
        title="New policy"
        description="It comes last in the order; move it up under Policies."
        above={
          <Breadcrumb>
            <BreadcrumbItem>
              <Link to="/policies">Policies</Link>
            </BreadcrumbItem>
            <BreadcrumbItem isActive>New policy</BreadcrumbItem>
          </Breadcrumb>
        }
      />
      <PageSection hasBodyWrapper={false}>
        <PolicyEditor
          isNew
          initial={{ name: '', effect: 'allow' }}
          onApplied={(policyName) => void navigate({ to: '/policies/$policyName', params: { policyName } })}
          onCancel={() => void navigate({ to: '/policies' })}
        />
      </PageSection>
    </>
  );
}
