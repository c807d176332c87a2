import '../../ui/pages.css';
import { Card, CardBody, CardTitle, Label, PageSection } from '@patternfly/react-core';
import { getRouteApi } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useApiQuery } from '../../api/use-api.js';
import { useRefusal, useSignedIn } from '../../auth/use-auth.js';
import type { UserJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FactList } from '../../ui/fact-list.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { SafeText } from '../../ui/safe-text.js';
import { SessionsCard } from '../../ui/sessions-card.js';
import { SignInsTable } from '../../ui/sign-ins-table.js';
import { ThingHeader, ThingUnknown } from '../../ui/thing-page.js';
import { Ago, Moment } from '../../ui/times.js';
import { TokensCard } from '../../ui/tokens-card.js';
import { AccountsCard } from './accounts-card.js';
import { EditUserDialog } from './edit-user-dialog.js';
import { RequestsCard } from './requests-card.js';
import { aboveRefusal, roleFromProto, ROLE_MEANINGS } from '../../model/user-roles.js';
import { RemoveCodesDialog, ResetPasswordDialog } from './user-sign-in-dialogs.js';
import { GroupLabels } from './users-page.js';

const route = getRouteApi('/users/$userId');

const KIND = { name: 'User', listName: 'Users', listPath: '/users' } as const;

/** One person: role, groups, accounts, sign-ins, tokens, and what they have and had. */
export function UserPage(): ReactElement {
  const { userId } = route.useParams();
  const answer = useApiQuery('UserService/GetUser', { user: userId }, { refetchIntervalMs: 5_000 });
  const user = answer.data?.user;
  if (user === undefined)
    return <ThingUnknown kind={KIND} error={answer.error} onRetry={() => void answer.refetch()} />;
  return <UserView user={user} />;
}

type Open = 'edit' | 'password' | 'codes';

function UserView({ user }: { readonly user: UserJson }): ReactElement {
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <>
      <ThingHeader
        kind={KIND}
        title={user.name ?? ''}
        description={
          <span className="curfew-buttons">
            <SafeText text={user.displayName ?? ''} />
            {user.disabled === true ? (
              <Label color="red" isCompact>
                disabled
              </Label>
            ) : null}
          </span>
        }
        actions={<UserActions user={user} onOpen={setOpen} />}
      />
      <PageSection hasBodyWrapper={false}>
        <div className="curfew-stack">
          <div className="curfew-columns">
            <div className="curfew-stack">
              <UserFacts user={user} />
              <SignInsCard user={user} />
            </div>
            <div className="curfew-stack">
              <AccountsCard user={user} />
              <TokensCard user={user} />
            </div>
          </div>
          <SessionsCard filter={{ user: user.id ?? '' }} hides="user" />
          <RequestsCard user={user} />
        </div>
      </PageSection>
      {open === 'edit' ? <EditUserDialog user={user} onClose={close} /> : null}
      {open === 'password' ? <ResetPasswordDialog user={user} onClose={close} /> : null}
      {open === 'codes' ? <RemoveCodesDialog user={user} onClose={close} /> : null}
    </>
  );
}

interface UserActionsProps {
  readonly user: UserJson;
  readonly onOpen: (what: Open) => void;
}

function UserActions({ user, onOpen }: UserActionsProps): ReactElement {
  const { user: me } = useSignedIn();
  const above = aboveRefusal(me.role, user);
  const own = me.id === user.id ? 'Your own are under Settings.' : undefined;
  const editRefusal = useRefusal('UserService/UpdateUser') ?? above;
  const resetRefusal = useRefusal('SignInService/ResetPassword') ?? above ?? own;
  return (
    <span className="curfew-buttons">
      <GuardedButton refusal={editRefusal} onClick={() => onOpen('edit')}>
        Change…
      </GuardedButton>
      <GuardedButton variant="secondary" refusal={resetRefusal} onClick={() => onOpen('password')}>
        Reset password…
      </GuardedButton>
      <GuardedButton
        variant="secondary"
        refusal={resetRefusal ?? (user.totpEnabled === true ? undefined : 'One-time codes are off.')}
        onClick={() => onOpen('codes')}
      >
        Turn codes off…
      </GuardedButton>
    </span>
  );
}

function UserFacts({ user }: { readonly user: UserJson }): ReactElement {
  const role = roleFromProto(user.role);
  return (
    <Card isCompact>
      <CardTitle component="h2">Facts</CardTitle>
      <CardBody>
        <FactList
          facts={[
            ['Role', `${role}: ${ROLE_MEANINGS[role]}`],
            ['Groups', (user.groups ?? []).length === 0 ? 'none' : <GroupLabels user={user} />],
            ['Mail', (user.email ?? '') === '' ? 'none' : <SafeText text={user.email ?? ''} />],
            ['Password', user.hasPassword === true ? 'set' : 'none: signs in through the provider alone'],
            ['One-time codes', user.totpEnabled === true ? 'on' : 'off'],
            [
              'Last sign-in',
              user.lastSignInTime === undefined ? 'never' : <Ago at={timeFromProto(user.lastSignInTime)} />,
            ],
            ['Made', <Moment key="made" at={timeFromProto(user.createTime)} />],
            ['Id', <code key="id">{user.id}</code>],
          ]}
        />
      </CardBody>
    </Card>
  );
}

function SignInsCard({ user }: { readonly user: UserJson }): ReactElement {
  const { user: me } = useSignedIn();
  const admin = useRefusal('SignInService/ResetPassword');
  const isSelf = me.id === user.id;
  return (
    <Card isCompact>
      <CardTitle component="h2">Sign-ins</CardTitle>
      <CardBody>
        {admin !== undefined && !isSelf ? (
          <span className="curfew-subtle">{admin}</span>
        ) : (
          <SignInsTable {...(isSelf ? {} : { user: user.id ?? '' })} />
        )}
      </CardBody>
    </Card>
  );
}
