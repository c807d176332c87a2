import { Content } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { ConnectorJson, ConnectorKindJson, ResourceJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { ResourceLink } from '../../ui/links.js';
import { SafeText } from '../../ui/safe-text.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { ConnectorDialog } from './connector-dialog.js';
import { ConnectorState } from './connector-state.js';
import { RESOURCE_REFRESHES, useConnectors, useKinds, useResources } from './use-resources.js';

/** The ways to systems outside, and whether they are well. */
export function ConnectorsTab({ onAdd }: { readonly onAdd: () => void }): ReactElement {
  const answer = useConnectors();
  const kinds = useKinds();
  const listed = useResources().data;
  // What is not known yet is not none.
  const resources = listed === undefined ? undefined : (listed.resources ?? []);
  const [editing, setEditing] = useState<ConnectorJson>();
  const [deleting, setDeleting] = useState<ConnectorJson>();
  const refusal = useRefusal('ResourceService/PutConnector');
  if (answer.error !== null)
    return (
      <ErrorView
        title="The connectors could not be loaded"
        error={answer.error}
        onRetry={() => void answer.refetch()}
      />
    );
  if (answer.isPending) return <LoadingView what="connectors" />;
  const connectors = answer.data.connectors ?? [];
  if (connectors.length === 0)
    return (
      <EmptyView
        title="No connector yet"
        actions={
          <GuardedButton refusal={refusal} onClick={onAdd}>
            New connector…
          </GuardedButton>
        }
      >
        A connector is a way to a directory, a database server or another system in which rights are given.
      </EmptyView>
    );
  return (
    <>
      <ConnectorTable
        connectors={connectors}
        kinds={kinds}
        resources={resources}
        onEdit={setEditing}
        onDelete={setDeleting}
      />
      {editing === undefined || kinds.length === 0 ? null : (
        <ConnectorDialog connector={editing} kinds={kinds} onClose={() => setEditing(undefined)} />
      )}
      {deleting === undefined ? null : <DeleteDialog connector={deleting} onClose={() => setDeleting(undefined)} />}
    </>
  );
}

interface ConnectorTableProps {
  readonly connectors: readonly ConnectorJson[];
  readonly kinds: readonly ConnectorKindJson[];
  /** Undefined until they are known. */
  readonly resources: readonly ResourceJson[] | undefined;
  readonly onEdit: (connector: ConnectorJson) => void;
  readonly onDelete: (connector: ConnectorJson) => void;
}

function ConnectorTable({ connectors, kinds, resources, ...events }: ConnectorTableProps): ReactElement {
  return (
    <Table variant="compact" aria-label="Connectors" gridBreakPoint="grid-lg">
      <Thead>
        <Tr>
          <Th modifier="nowrap">Connector</Th>
          <Th modifier="nowrap">Where</Th>
          <Th modifier="nowrap">Secrets</Th>
          <Th modifier="nowrap">Resources</Th>
          <Th modifier="nowrap" width={25}>
            State
          </Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {connectors.map((connector) => {
          const kind = kinds.find((one) => one.kind === connector.kind);
          const used = resources?.filter((resource) => resource.connector === connector.name);
          return (
            <Tr key={connector.id}>
              <Td dataLabel="Connector" modifier="breakWord">
                <strong>
                  <SafeText text={connector.name ?? ''} />
                </strong>
                <div className="curfew-detail">{kind?.title ?? connector.kind}</div>
              </Td>
              <Td dataLabel="Where" modifier="breakWord">
                <SafeText text={whereText(connector, kind)} />
              </Td>
              <Td dataLabel="Secrets" modifier="breakWord">
                <Secrets connector={connector} kind={kind} />
              </Td>
              <Td dataLabel="Resources" modifier="breakWord">
                {used === undefined ? (
                  '…'
                ) : used.length === 0 ? (
                  <span className="curfew-subtle">none</span>
                ) : (
                  <Names resources={used} />
                )}
              </Td>
              <Td dataLabel="State" modifier="breakWord">
                <ConnectorState connector={connector} />
              </Td>
              <Td dataLabel="Actions">
                <Actions connector={connector} isUsed={used === undefined ? undefined : used.length > 0} {...events} />
              </Td>
            </Tr>
          );
        })}
      </Tbody>
    </Table>
  );
}

/** The address, which is the first thing that a kind asks for. */
const whereText = ({ settings = {} }: ConnectorJson, kind: ConnectorKindJson | undefined): string =>
  settings['url'] ?? settings['host'] ?? settings[kind?.settings?.[0]?.name ?? ''] ?? '';

function Secrets({
  connector,
  kind,
}: {
  readonly connector: ConnectorJson;
  readonly kind: ConnectorKindJson | undefined;
}): ReactElement {
  const labels = (connector.secretsSet ?? []).map(
    (name) => kind?.settings?.find((field) => field.name === name)?.label ?? name,
  );
  return labels.length === 0 ? <span className="curfew-subtle">none</span> : <>{labels.join(', ')}: set</>;
}

const Names = ({ resources }: { readonly resources: readonly ResourceJson[] }): ReactElement => (
  <ul className="curfew-names">
    {resources.map(({ id, name }) => (
      <li key={id}>
        <ResourceLink id={id} name={name} />
      </li>
    ))}
  </ul>
);

function Actions({
  connector,
  isUsed,
  onEdit,
  onDelete,
}: {
  readonly connector: ConnectorJson;
  /** Undefined until it is known. */
  readonly isUsed: boolean | undefined;
} & Pick<ConnectorTableProps, 'onEdit' | 'onDelete'>): ReactElement {
  const name = connector.name ?? '';
  const refusal = useRefusal('ResourceService/PutConnector');
  const deleteRefusal = useRefusal('ResourceService/DeleteConnector');
  return (
    <span className="curfew-buttons">
      <GuardedButton
        size="sm"
        variant="secondary"
        aria-label={`Change ${name}`}
        refusal={refusal}
        onClick={() => onEdit(connector)}
      >
        Change…
      </GuardedButton>
      <GuardedButton
        size="sm"
        variant="secondary"
        isDanger
        aria-label={`Remove ${name}`}
        refusal={
          deleteRefusal ??
          (isUsed === undefined
            ? 'It is not known yet what uses it.'
            : isUsed
              ? 'Resources use it; remove those first.'
              : undefined)
        }
        onClick={() => onDelete(connector)}
      >
        Remove…
      </GuardedButton>
    </span>
  );
}

function DeleteDialog({
  connector,
  onClose,
}: {
  readonly connector: ConnectorJson;
  readonly onClose: () => void;
}): ReactElement {
  const remove = useApiMutation('ResourceService/DeleteConnector', {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Remove ${connector.name ?? ''}?`}
      submitLabel="Remove"
      isDanger
      errorTitle="The connector was not removed"
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onSubmit={() => remove.mutate({ connector: connector.name ?? '' })}
    >
      <Content component="p">Its settings and its secrets are forgotten. No resource uses it.</Content>
    </FormDialog>
  );
}
