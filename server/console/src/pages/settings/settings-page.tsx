import '../../ui/pages.css';
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import type { ReactElement } from 'react';
import { useRefusal, useSignedIn } from '../../auth/use-auth.js';
import { roleToProto } from '../../model/user-roles.js';
import { PageHeader } from '../../ui/page-header.js';
import { PageTabs } from '../../ui/page-tabs.js';
import { SignInsTable } from '../../ui/sign-ins-table.js';
import { EmptyView } from '../../ui/states.js';
import { TokensCard } from '../../ui/tokens-card.js';
import { ChannelsCard } from './channels-card.js';
import { CodesCard } from './codes-card.js';
import { DeliveriesCard } from './deliveries-card.js';
import { PasswordCard } from './password-card.js';
import { ServerTab } from './server-tab.js';

/** One's own sign-in and tokens, where notices go, and the server. */
export function SettingsPage(): ReactElement {
  const { user } = useSignedIn();
  return (
    <>
      <PageHeader title="Settings" description="Your own sign-in, where notices go, and the server." />
      <PageTabs
        label="Settings"
        tabs={[
          { key: 'sign-in', title: 'Sign-in', content: <SignInTab /> },
          {
            key: 'tokens',
            title: 'API tokens',
            content: <TokensCard user={{ id: user.id, name: user.name, role: roleToProto(user.role) }} />,
          },
          { key: 'notifications', title: 'Notifications', content: <NotificationsTab /> },
          { key: 'server', title: 'Server', content: <ServerTab /> },
        ]}
      />
    </>
  );
}

function SignInTab(): ReactElement {
  return (
    <>
      <div className="curfew-columns">
        <PasswordCard />
        <CodesCard />
      </div>
      <Card isCompact>
        <CardTitle component="h2">Where you are signed in</CardTitle>
        <CardBody>
          <SignInsTable />
        </CardBody>
      </Card>
    </>
  );
}

function NotificationsTab(): ReactElement {
  const refusal = useRefusal('NotificationService/ListChannels');
  if (refusal !== undefined) return <EmptyView title="Notifications are for operators">{refusal}</EmptyView>;
  return (
    <>
      <ChannelsCard />
      <DeliveriesCard />
    </>
  );
}
