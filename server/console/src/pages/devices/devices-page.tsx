import '../../ui/pages.css';
import { useState, type ReactElement } from 'react';
import { useRefusal } from '../../auth/use-auth.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { DeviceListTab } from './device-list-tab.js';
import { JoinTokenDialog } from './join-token-dialog.js';
import { JoinTokensTab } from './join-tokens-tab.js';

/** The managed machines, and what lets new ones in. */
export function DevicesPage(): ReactElement {
  const [isAdding, setAdding] = useState(false);
  const refusal = useRefusal('DeviceService/CreateJoinToken');
  const add = (): void => {
    if (refusal === undefined) setAdding(true);
  };
  return (
    <>
      <PageHeader
        title="Devices"
        description="The machines that run the agent."
        actions={
          <GuardedButton refusal={refusal} onClick={add}>
            Add devices…
          </GuardedButton>
        }
      />
      <PageTabs
        label="Devices"
        tabs={[
          { key: 'list', title: 'Devices', content: <DeviceListTab onAdd={add} /> },
          { key: 'join-tokens', title: 'Join tokens', content: <JoinTokensTab onAdd={add} /> },
        ]}
      />
      {isAdding ? <JoinTokenDialog onClose={() => setAdding(false)} /> : null}
    </>
  );
}
