import { Button, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import type { ConnectorJson, ConnectorKindJson, ResourceJson } from '../../gen/api.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { ResourceLink } from '../../ui/links.js';
import { SafeText } from '../../ui/safe-text.js';
import { SearchField } from '../../ui/search-field.js';
import { sortBy } from '../../ui/sort-by.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { useAddress } from '../../ui/use-address.js';
import { isFailing } from './connector-state.js';
import { targetText } from './kind-values.js';
import { useConnectors, useKinds, useResources } from './use-resources.js';

/** So many are shown at first, and more when asked for. */
const STEP = 100;
const COLUMNS = ['name', 'connector', 'live'] as const;

const KEYS: Readonly<Record<string, (resource: ResourceJson) => string | number>> = {
  name: ({ name = '' }) => name,
  connector: ({ connector = '' }) => connector,
  live: ({ liveSessions = 0 }) => liveSessions,
};

function sorted(resources: readonly ResourceJson[], orderBy: string): ResourceJson[] {
  const [column = '', direction] = orderBy.split(' ');
  const key = KEYS[column] ?? (({ name = '' }: ResourceJson) => name);
  const sign = direction === 'desc' ? -1 : 1;
  return [...resources].sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0));
}

/** Everything that can be had for a time. */
export function ResourceListTab({ onAdd }: { readonly onAdd: () => void }): ReactElement {
  const [address, change] = useAddress();
  const [most, setMost] = useState(STEP);
  const answer = useResources();
  const connectors = useConnectors().data?.connectors ?? [];
  const kinds = useKinds();
  const { q: text = '', sort = 'name' } = address;
  const needle = text.toLowerCase();
  const fitting = (answer.data?.resources ?? []).filter((resource) =>
    [resource.name, resource.description, resource.connector, targetText(resource, undefined)].some(
      (value) => value?.toLowerCase().includes(needle) === true,
    ),
  );
  const shown = sorted(fitting, sort).slice(0, most);
  return (
    <>
      <div className="curfew-filters" role="search">
        <div className="curfew-grow">
          <SearchField label="Search by name, description, connector" value={text} onChange={(q) => change({ q })} />
        </div>
      </div>
      {answer.error !== null ? (
        <ErrorView
          title="The resources could not be loaded"
          error={answer.error}
          onRetry={() => void answer.refetch()}
        />
      ) : answer.isPending ? (
        <LoadingView what="resources" />
      ) : shown.length === 0 ? (
        <NoResources isNarrowed={text !== ''} onAdd={onAdd} />
      ) : (
        <>
          <ResourceTable
            resources={shown}
            connectors={connectors}
            kinds={kinds}
            orderBy={sort}
            onSort={(next) => change({ sort: next === 'name' ? undefined : next })}
          />
          {fitting.length > most ? (
            <Button variant="link" onClick={() => setMost(most + STEP)}>
              Show more of {fitting.length.toLocaleString('en')}
            </Button>
          ) : null}
        </>
      )}
    </>
  );
}

function NoResources({
  isNarrowed,
  onAdd,
}: {
  readonly isNarrowed: boolean;
  readonly onAdd: () => void;
}): ReactElement {
  const refusal = useRefusal('ResourceService/PutResource');
  if (isNarrowed) return <EmptyView title="No resource matches">Change the search.</EmptyView>;
  return (
    <EmptyView
      title="No resource yet"
      actions={
        <GuardedButton refusal={refusal} onClick={onAdd}>
          New resource…
        </GuardedButton>
      }
    >
      A resource is one thing that can be had for a time: a group, a role, a team. It is reached through a connector.
    </EmptyView>
  );
}

interface ResourceTableProps {
  readonly resources: readonly ResourceJson[];
  readonly connectors: readonly ConnectorJson[];
  readonly kinds: readonly ConnectorKindJson[];
  readonly orderBy: string;
  readonly onSort: (orderBy: string) => void;
}

function ResourceTable({ resources, connectors, kinds, orderBy, onSort }: ResourceTableProps): ReactElement {
  const sort = (column: (typeof COLUMNS)[number]) => sortBy(COLUMNS, column, orderBy, onSort);
  return (
    <Table variant="compact" aria-label="Resources" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap" sort={sort('name')} width={30}>
            Resource
          </Th>
          <Th modifier="nowrap" sort={sort('connector')}>
            Connector
          </Th>
          <Th modifier="nowrap">Gives</Th>
          <Th modifier="nowrap" sort={sort('live')}>
            Live sessions
          </Th>
          <Th modifier="nowrap">State</Th>
        </Tr>
      </Thead>
      <Tbody>
        {resources.map((resource) => {
          const { id = '', name = '', description = '', liveSessions = 0 } = resource;
          const kind = kinds.find((one) => one.kind === resource.connectorKind);
          return (
            <Tr key={id}>
              <Td dataLabel="Resource" modifier="breakWord">
                <ResourceLink id={id} name={name} />
                <div className="curfew-detail">
                  <SafeText text={description} />
                </div>
              </Td>
              <Td dataLabel="Connector" modifier="breakWord">
                {resource.connector === undefined ? (
                  (kind?.title ?? resource.connectorKind)
                ) : (
                  <>
                    <SafeText text={resource.connector} />
                    <div className="curfew-detail">{kind?.title ?? resource.connectorKind}</div>
                  </>
                )}
              </Td>
              <Td dataLabel="Gives" modifier="breakWord">
                <SafeText text={targetText(resource, kind)} />
              </Td>
              <Td dataLabel="Live sessions">
                {liveSessions === 0 ? (
                  '0'
                ) : (
                  <Link to="/sessions" search={{ tab: 'timed-access', resource: name }}>
                    {liveSessions.toLocaleString('en')}
                  </Link>
                )}
              </Td>
              <Td dataLabel="State">
                <ResourceLabels
                  resource={resource}
                  connector={connectors.find((one) => one.name === resource.connector)}
                />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </Table>
  );
}

/** Whether it can be asked for, differs from the ledger, or cannot be reached. */
export function ResourceLabels({
  resource,
  connector,
}: {
  readonly resource: ResourceJson;
  readonly connector: ConnectorJson | undefined;
}): ReactElement {
  const differences = (resource.drift ?? []).length;
  const isOff = resource.disabled === true || connector?.disabled === true;
  const fails = connector !== undefined && isFailing(connector);
  const isKnown = connector !== undefined || (resource.connector ?? '') === '';
  return (
    <span className="curfew-buttons">
      {isOff ? (
        <Label color="grey" isCompact>
          off
        </Label>
      ) : null}
      {fails ? (
        <Label color="red" isCompact>
          does not answer
        </Label>
      ) : null}
      {differences === 0 ? null : (
        <Label color="orange" isCompact>
          {differences === 1 ? '1 difference' : `${differences} differences`}
        </Label>
      )}
      {isOff || fails || differences > 0 || !isKnown ? null : (
        <Label color="green" isCompact>
          well
        </Label>
      )}
    </span>
  );
}
