import { parseDuration } from '@curfew/shared/browser';
import { Button, Card, CardBody, CardHeader, CardTitle, Content } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { fieldError } from '../api/api-error.js';
import { roleIsAtLeast, ROLES, type Role } from '../api/method-roles.js';
import { useApiMutation, useApiQuery } from '../api/use-api.js';
import { useSignedIn } from '../auth/use-auth.js';
import type { ApiTokenJson, UserJson } from '../gen/api.js';
import { durationToProto, timeFromProto } from '../model/proto-json.js';
import { roleFromProto, roleToProto } from '../model/user-roles.js';
import { DurationField, durationProblem } from './duration-field.js';
import { FormDialog, NoticeDialog } from './form-dialog.js';
import { GuardedButton } from './guarded-button.js';
import { SafeText } from './safe-text.js';
import { SecretOnce } from './secret-once.js';
import { ErrorView, LoadingView } from './states.js';
import { ChoiceField, TextField } from './text-field.js';
import { Ago, Moment } from './times.js';

const YEAR_MS = 365 * 86_400_000;

type Whose = Pick<UserJson, 'id' | 'name' | 'role'>;

/** The API tokens that act for a user: those of others only for owners. */
export function TokensCard({ user }: { readonly user: Whose }): ReactElement {
  const { user: me } = useSignedIn();
  const [isMaking, setMaking] = useState(false);
  const isSelf = user.id === me.id;
  const refusal =
    isSelf || roleIsAtLeast(me.role, 'owner')
      ? undefined
      : `The API tokens of others are for owners; you are ${me.role}.`;
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          actions: (
            <GuardedButton variant="link" isInline refusal={refusal} onClick={() => setMaking(true)}>
              Make a token
            </GuardedButton>
          ),
        }}
      >
        <CardTitle component="h2">API tokens</CardTitle>
      </CardHeader>
      <CardBody>
        {refusal === undefined ? <TokenList user={user} /> : <span className="curfew-subtle">{refusal}</span>}
      </CardBody>
      {isMaking ? <MakeTokenDialog user={user} onClose={() => setMaking(false)} /> : null}
    </Card>
  );
}

function TokenList({ user }: { readonly user: Whose }): ReactElement {
  const answer = useApiQuery('UserService/ListApiTokens', {}, { refetchIntervalMs: 10_000 });
  const [revoking, setRevoking] = useState<ApiTokenJson>();
  if (answer.error !== null)
    return (
      <ErrorView title="The tokens could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="tokens" />;
  const tokens = (answer.data.apiTokens ?? []).filter(({ userId }) => userId === user.id);
  if (tokens.length === 0) return <span className="curfew-subtle">None. Programs and curfewctl sign in with one.</span>;
  return (
    <>
      <Table variant="compact" aria-label="API tokens" borders={false}>
        <Thead>
          <Tr>
            <Th modifier="nowrap">For</Th>
            <Th modifier="nowrap">May do</Th>
            <Th modifier="nowrap">Last used</Th>
            <Th modifier="nowrap">Ends</Th>
            <Th screenReaderText="Revoke" />
          </Tr>
        </Thead>
        <Tbody>
          {tokens.map((token) => (
            <Tr key={token.id}>
              <Td dataLabel="For" modifier="breakWord">
                <SafeText text={token.label ?? ''} />
              </Td>
              <Td dataLabel="May do">as {roleFromProto(token.scope)}</Td>
              <Td dataLabel="Last used" modifier="nowrap">
                {token.lastUsedTime === undefined ? 'never' : <Ago at={timeFromProto(token.lastUsedTime)} />}
              </Td>
              <Td dataLabel="Ends" modifier="nowrap">
                <Moment at={timeFromProto(token.expireTime)} />
              </Td>
              <Td dataLabel="Revoke" modifier="fitContent">
                <Button
                  variant="link"
                  isInline
                  aria-label={`Revoke the token ${token.label ?? ''}`}
                  onClick={() => setRevoking(token)}
                >
                  Revoke
                </Button>
              </Td>
            </Tr>
          ))}
        </Tbody>
      </Table>
      {revoking === undefined ? null : <RevokeTokenDialog token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

interface MakeTokenDialogProps {
  readonly user: Whose;
  readonly onClose: () => void;
}

function MakeTokenDialog({ user, onClose }: MakeTokenDialogProps): ReactElement {
  const most = roleFromProto(user.role);
  const [label, setLabel] = useState('');
  const [scope, setScope] = useState<Role>(most);
  const [life, setLife] = useState('30d');
  const [secret, setSecret] = useState<string>();
  const make = useApiMutation('UserService/CreateApiToken', {
    quiet: true,
    refreshes: ['UserService/ListApiTokens'],
    onDone: (answer) => setSecret(answer.secret ?? ''),
  });
  if (secret !== undefined)
    return (
      <NoticeDialog title="The token was made" onClose={onClose}>
        <SecretOnce label="API token" text={secret}>
          Programs send it as <code>Authorization: Bearer …</code>; curfewctl takes it with <code>curfewctl login</code>
          .
        </SecretOnce>
      </NoticeDialog>
    );
  const labelRefusal = fieldError(make.error, 'label');
  const lifeRefusal = fieldError(make.error, 'ttl');
  const ms = parseDuration(life.trim());
  return (
    <FormDialog
      title="Make an API token"
      submitLabel="Make"
      errorTitle="No token was made"
      error={(labelRefusal ?? lifeRefusal) ? null : make.error}
      isReady={label.trim() !== '' && durationProblem(life, YEAR_MS) === undefined}
      isBusy={make.isPending}
      focus="token-label"
      onClose={onClose}
      onSubmit={() =>
        make.mutate({
          user: user.id ?? '',
          label: label.trim(),
          scope: roleToProto(scope),
          ...(ms === undefined ? {} : { ttl: durationToProto(ms) }),
        })
      }
    >
      <TextField
        id="token-label"
        label="What it is for"
        isRequired
        maxLength={100}
        value={label}
        onChange={setLabel}
        problem={labelRefusal}
      />
      <ChoiceField
        id="token-scope"
        label="May do at most what this role may"
        value={scope}
        choices={ROLES.filter((role) => roleIsAtLeast(most, role)).map((role) => [role, role] as const)}
        onChange={setScope}
        hint="Never more than the user’s own role."
      />
      <DurationField
        id="token-life"
        label="Works for"
        value={life}
        onChange={setLife}
        longestMs={YEAR_MS}
        hasChoices={false}
        problem={lifeRefusal}
        hint="Such as 30d or 12h; at most 365 days."
      />
    </FormDialog>
  );
}

interface RevokeTokenDialogProps {
  readonly token: ApiTokenJson;
  readonly onClose: () => void;
}

function RevokeTokenDialog({ token, onClose }: RevokeTokenDialogProps): ReactElement {
  const revoke = useApiMutation('UserService/RevokeApiToken', {
    quiet: true,
    refreshes: ['UserService/ListApiTokens'],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Revoke this API token?"
      submitLabel="Revoke"
      isDanger
      errorTitle="The token was not revoked"
      error={revoke.error}
      isBusy={revoke.isPending}
      onClose={onClose}
      onSubmit={() => revoke.mutate({ apiTokenId: token.id ?? '' })}
    >
      <Content component="p">
        “<SafeText text={token.label ?? ''} />” stops working at once, on live streams too.
      </Content>
    </FormDialog>
  );
}
