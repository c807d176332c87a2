import '../../ui/pages.css';
import { Breadcrumb, BreadcrumbItem, Card, CardBody, CardTitle, Content, PageSection } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { ConnectorJson, ConnectorKindJson, ResourceJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FactList } from '../../ui/fact-list.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { DeviceLink } from '../../ui/links.js';
import { Notice } from '../../ui/notice.js';
import { PageHeader } from '../../ui/page-header.js';
import { SafeText } from '../../ui/safe-text.js';
import { SessionsCard } from '../../ui/sessions-card.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Moment, TimeLeft } from '../../ui/times.js';
import { isFailing } from './connector-state.js';
import { DriftCard } from './drift-card.js';
import { isDeviceId } from './kind-values.js';
import { ResourceDialog } from './resource-dialog.js';
import { ResourceLabels } from './resource-list-tab.js';
import { TryPanel } from './try-panel.js';
import { RESOURCE_REFRESHES, useConnectors, useKinds, useResources } from './use-resources.js';

const route = getRouteApi('/resources/$resourceId');
const GrantDialog = lazy(() =>
  import('../sessions/grant-dialog.js').then(({ GrantDialog: component }) => ({ default: component })),
);

const above = (
  <Breadcrumb>
    <BreadcrumbItem>
      <Link to="/resources">Resources</Link>
    </BreadcrumbItem>
    <BreadcrumbItem isActive>Resource</BreadcrumbItem>
  </Breadcrumb>
);

/** One resource: what it gives and how it stands, who has or had it, and where it differs from the ledger. */
export function ResourcePage(): ReactElement {
  const { resourceId } = route.useParams();
  const answer = useResources();
  const connectors = useConnectors().data?.connectors ?? [];
  const kinds = useKinds();
  const resource = answer.data?.resources?.find(({ id, name }) => id === resourceId || name === resourceId);
  if (resource !== undefined) return <ResourceView resource={resource} connectors={connectors} kinds={kinds} />;
  return (
    <>
      <PageHeader title="Resource" above={above} />
      <PageSection hasBodyWrapper={false}>
        {answer.error !== null ? (
          <ErrorView
            title="The resource could not be loaded"
            error={answer.error}
            onRetry={() => void answer.refetch()}
          />
        ) : answer.isPending ? (
          <LoadingView what="the resource" />
        ) : (
          <EmptyView title="No such resource">It was deleted, or there never was one of this name.</EmptyView>
        )}
      </PageSection>
    </>
  );
}

interface ResourceViewProps {
  readonly resource: ResourceJson;
  readonly connectors: readonly ConnectorJson[];
  readonly kinds: readonly ConnectorKindJson[];
}

function ResourceView({ resource, connectors, kinds }: ResourceViewProps): ReactElement {
  const [open, setOpen] = useState<'change' | 'delete' | 'grant'>();
  const close = (): void => setOpen(undefined);
  const connector = connectors.find(({ name }) => name === resource.connector);
  const isKnown = kinds.length > 0 && (connector !== undefined || resource.connector === '');
  return (
    <>
      <PageHeader
        above={above}
        title={resource.name ?? ''}
        description={<ResourceLabels resource={resource} connector={connector} />}
        actions={<Buttons resource={resource} onOpen={setOpen} />}
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-stack">
          <Warnings resource={resource} connector={connector} />
          <div className="curfew-columns">
            <FactsCard resource={resource} kind={kinds.find(({ kind }) => kind === resource.connectorKind)} />
            <div className="curfew-stack">
              <Card isCompact>
                <CardTitle component="h2">Try it</CardTitle>
                <CardBody>
                  <TryPanel key={JSON.stringify(resource.target)} which={{ resource: resource.id ?? '' }} />
                </CardBody>
              </Card>
              <SubjectsCard resource={resource} />
            </div>
          </div>
          <DriftCard resource={resource} />
          <SessionsCard filter={{ resource: resource.id ?? '' }} hides="resource" />
        </div>
      </PageSection>
      {open === 'change' && isKnown ? (
        <ResourceDialog resource={resource} connectors={connectors} kinds={kinds} onClose={close} />
      ) : null}
      {open === 'delete' ? <DeleteDialog resource={resource} onClose={close} /> : null}
      {open === 'grant' ? (
        <Suspense>
          <GrantDialog kind="timed_access" target={resource.name ?? ''} onClose={close} />
        </Suspense>
      ) : null}
    </>
  );
}

function Buttons({
  resource,
  onOpen,
}: {
  readonly resource: ResourceJson;
  readonly onOpen: (what: 'change' | 'delete' | 'grant') => void;
}): ReactElement {
  const putRefusal = useRefusal('ResourceService/PutResource');
  const deleteRefusal = useRefusal('ResourceService/DeleteResource');
  const grantRefusal = useRefusal('SessionService/GrantSession');
  const live = resource.liveSessions ?? 0;
  const inUse =
    live === 0 ? undefined : `It has ${live === 1 ? 'a live session' : `${live} live sessions`}; revoke first.`;
  return (
    <span className="curfew-buttons">
      <GuardedButton refusal={grantRefusal} onClick={() => onOpen('grant')}>
        Give access…
      </GuardedButton>
      <GuardedButton variant="secondary" refusal={putRefusal} onClick={() => onOpen('change')}>
        Change…
      </GuardedButton>
      <GuardedButton variant="secondary" isDanger refusal={deleteRefusal ?? inUse} onClick={() => onOpen('delete')}>
        Delete…
      </GuardedButton>
    </span>
  );
}

function Warnings({
  resource,
  connector,
}: Pick<ResourceViewProps, 'resource'> & { readonly connector: ConnectorJson | undefined }): ReactElement {
  return (
    <>
      {connector !== undefined && isFailing(connector) ? (
        <Notice
          variant="danger"
          title={
            <>
              It does not answer since <Moment at={timeFromProto(connector.failingSinceTime)} />
            </>
          }
        >
          <SafeText text={connector.lastError ?? ''} />
          {connector.nextAttemptTime === undefined ? null : (
            <>
              . Next try in <TimeLeft until={timeFromProto(connector.nextAttemptTime)} />. Access that should end is
              taken away once it answers; Curfew goes on asking.
            </>
          )}
        </Notice>
      ) : null}
      {connector?.disabled === true ? (
        <Notice variant="info" title="Its connector is off: nothing new is given through it" />
      ) : null}
      {resource.disabled === true ? (
        <Notice variant="info" title="Nobody can ask for it any more; sessions that run go on" />
      ) : null}
    </>
  );
}

function FactsCard({
  resource,
  kind,
}: {
  readonly resource: ResourceJson;
  readonly kind: ConnectorKindJson | undefined;
}): ReactElement {
  const { id = '', target = {} } = resource;
  const labelOf = (name: string): string => kind?.target?.find((field) => field.name === name)?.label ?? name;
  return (
    <Card isCompact>
      <CardTitle component="h2">Facts</CardTitle>
      <CardBody>
        <FactList
          facts={[
            ['What it is for', <SafeText key="description" text={resource.description ?? ''} />],
            [
              'Connector',
              (resource.connector ?? '') === '' ? undefined : (
                <Link to="/resources" search={{ tab: 'connectors' }}>
                  {resource.connector}
                </Link>
              ),
            ],
            ['Kind', kind?.title ?? resource.connectorKind],
            ...Object.entries(target).map(
              ([name, value]) =>
                [
                  labelOf(name),
                  isDeviceId(value) ? (
                    <DeviceLink key={name} id={value} name={value} />
                  ) : (
                    <SafeText key={name} text={value} />
                  ),
                ] as const,
            ),
            [
              'Live sessions',
              <Link key="live" to="/sessions" search={{ tab: 'timed-access', resource: resource.name ?? '' }}>
                {resource.liveSessions ?? 0}
              </Link>,
            ],
            [
              'Compared',
              resource.comparedTime === undefined ? undefined : <Moment at={timeFromProto(resource.comparedTime)} />,
            ],
            ['Id', <code key="id">{id}</code>],
            [
              'What happened',
              <Link key="audit" to="/audit" search={{ subject: id }}>
                Audit events
              </Link>,
            ],
          ]}
        />
      </CardBody>
    </Card>
  );
}

function SubjectsCard({ resource }: { readonly resource: ResourceJson }): ReactElement {
  const subjects = resource.subjects ?? [];
  return (
    <Card isCompact>
      <CardTitle component="h2">Who is called otherwise there</CardTitle>
      <CardBody>
        {subjects.length === 0 ? (
          <span className="curfew-subtle">Nobody: people are found by their names or mail addresses.</span>
        ) : (
          <Table variant="compact" aria-label="Who is called otherwise there" borders={false}>
            <Thead>
              <Tr>
                <Th>User</Th>
                <Th width={60}>There</Th>
              </Tr>
            </Thead>
            <Tbody>
              {subjects.map(({ user = '', subject = '' }) => (
                <Tr key={user}>
                  <Td dataLabel="User" modifier="breakWord">
                    <SafeText text={user} />
                  </Td>
                  <Td dataLabel="There" modifier="breakWord">
                    <SafeText text={subject} />
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </CardBody>
    </Card>
  );
}

function DeleteDialog({
  resource,
  onClose,
}: {
  readonly resource: ResourceJson;
  readonly onClose: () => void;
}): ReactElement {
  const { toasts } = useServices();
  const navigate = useNavigate();
  const remove = useApiMutation('ResourceService/DeleteResource', {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: () => {
      toasts.show('success', 'The resource was deleted');
      void navigate({ to: '/resources', search: {} });
    },
  });
  return (
    <FormDialog
      title={`Delete ${resource.name ?? ''}?`}
      submitLabel="Delete the resource"
      isDanger
      errorTitle="The resource was not deleted"
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onSubmit={() => remove.mutate({ resource: resource.id ?? '' })}
    >
      <Content component="p">
        Nobody can ask for it any more, and requests that wait for it come to nothing. Nothing changes in the system
        behind it, and the history stays.
      </Content>
    </FormDialog>
  );
}
