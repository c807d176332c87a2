import '../../ui/pages.css';
import { useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { ConnectorDialog } from './connector-dialog.js';
import { isFailing } from './connector-state.js';
import { ConnectorsTab } from './connectors-tab.js';
import { isOwnWay } from './kind-values.js';
import { ResourceDialog } from './resource-dialog.js';
import { ResourceListTab } from './resource-list-tab.js';
import { useConnectors, useKinds } from './use-resources.js';

/** What can be had for a time, and the ways there. */
export function ResourcesPage(): ReactElement {
  const [adding, setAdding] = useState<'resource' | 'connector'>();
  const listed = useConnectors().data;
  const connectors = listed?.connectors ?? [];
  const kinds = useKinds();
  const connectorKinds = kinds.filter((kind) => !isOwnWay(kind));
  const connectorRefusal = useRefusal('ResourceService/PutConnector');
  const resourceRefusal =
    useRefusal('ResourceService/PutResource') ??
    (connectors.length === 0 && !kinds.some(isOwnWay)
      ? listed === undefined
        ? 'The connectors are not known yet.'
        : 'A resource is reached through a connector; make that first.'
      : undefined);
  const add = (what: 'resource' | 'connector'): void => {
    if (
      (what === 'resource' ? resourceRefusal : connectorRefusal) === undefined &&
      (what === 'resource' ? kinds : connectorKinds).length > 0
    )
      setAdding(what);
  };
  const close = (): void => setAdding(undefined);
  return (
    <>
      <PageHeader
        title="Resources"
        description="What people can have for a time, and the connectors through which it is given and taken away."
        actions={
          <span className="curfew-buttons">
            <GuardedButton refusal={resourceRefusal} onClick={() => add('resource')}>
              New resource…
            </GuardedButton>
            <GuardedButton variant="secondary" refusal={connectorRefusal} onClick={() => add('connector')}>
              New connector…
            </GuardedButton>
          </span>
        }
      />
      <PageTabs
        label="Resources"
        tabs={[
          { key: 'list', title: 'Resources', content: <ResourceListTab onAdd={() => add('resource')} /> },
          {
            key: 'connectors',
            title: 'Connectors',
            count: connectors.filter(isFailing).length,
            countMeans: 'failing',
            content: <ConnectorsTab onAdd={() => add('connector')} />,
          },
        ]}
      />
      {adding === 'connector' ? <ConnectorDialog connector={undefined} kinds={connectorKinds} onClose={close} /> : null}
      {adding === 'resource' ? (
        <ResourceDialog resource={undefined} connectors={connectors} kinds={kinds} onClose={close} />
      ) : null}
    </>
  );
}
