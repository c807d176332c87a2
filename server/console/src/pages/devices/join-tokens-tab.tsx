import { Button, Content } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { JoinTokenJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { EmptyView, ErrorView, LoadingView } from '../../ui/states.js';
import { Moment, TimeLeft } from '../../ui/times.js';

/** The join tokens that still work. */
export function JoinTokensTab({ onAdd }: { readonly onAdd: () => void }): ReactElement {
  const refusal = useRefusal('DeviceService/ListJoinTokens');
  const answer = useApiQuery(
    'DeviceService/ListJoinTokens',
    {},
    { enabled: refusal === undefined, refetchIntervalMs: 5_000 },
  );
  const [revoking, setRevoking] = useState<JoinTokenJson>();
  if (refusal !== undefined) return <EmptyView title="Join tokens are for administrators">{refusal}</EmptyView>;
  if (answer.error !== null)
    return (
      <ErrorView
        title="The join tokens could not be loaded"
        error={answer.error}
        onRetry={() => void answer.refetch()}
      />
    );
  if (answer.isPending) return <LoadingView what="join tokens" />;
  const tokens = answer.data.joinTokens ?? [];
  if (tokens.length === 0)
    return (
      <EmptyView title="No join token works now" actions={<Button onClick={onAdd}>Make a join token</Button>}>
        A machine needs one to enrol. What is used up, too old or revoked is not listed.
      </EmptyView>
    );
  return (
    <>
      <TokenTable tokens={tokens} onRevoke={setRevoking} />
      {revoking === undefined ? null : <RevokeTokenDialog token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

interface TokenTableProps {
  readonly tokens: readonly JoinTokenJson[];
  readonly onRevoke: (token: JoinTokenJson) => void;
}

function TokenTable({ tokens, onRevoke }: TokenTableProps): ReactElement {
  return (
    <Table variant="compact" aria-label="Join tokens">
      <Thead>
        <Tr>
          <Th>Token</Th>
          <Th modifier="nowrap">For</Th>
          <Th modifier="nowrap">Machines left</Th>
          <Th modifier="nowrap">Works for</Th>
          <Th>Made</Th>
          <Th>By</Th>
          <Th screenReaderText="Revoke" />
        </Tr>
      </Thead>
      <Tbody>
        {tokens.map((token) => (
          <Tr key={token.id}>
            <Td dataLabel="Token" modifier="breakWord">
              <code>{token.id}</code>
            </Td>
            <Td dataLabel="For" modifier="breakWord">
              {token.deviceName === undefined ? 'new devices' : <SafeText text={token.deviceName} />}
            </Td>
            <Td dataLabel="Machines left">
              {token.usesLeft ?? 0} of {token.uses ?? 0}
            </Td>
            <Td dataLabel="Works for">
              <TimeLeft until={timeFromProto(token.expireTime)} />
            </Td>
            <Td dataLabel="Made">
              <Moment at={timeFromProto(token.createTime)} />
            </Td>
            <Td dataLabel="By" modifier="breakWord">
              <SafeText text={token.createdBy ?? ''} />
            </Td>
            <Td dataLabel="Revoke" modifier="fitContent">
              <Button
                size="sm"
                variant="secondary"
                aria-label={`Revoke the token ${token.id ?? ''}`}
                onClick={() => onRevoke(token)}
              >
                Revoke…
              </Button>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

interface RevokeTokenDialogProps {
  readonly token: JoinTokenJson;
  readonly onClose: () => void;
}

function RevokeTokenDialog({ token, onClose }: RevokeTokenDialogProps): ReactElement {
  const revoke = useApiMutation('DeviceService/RevokeJoinToken', {
    quiet: true,
    refreshes: ['DeviceService/ListJoinTokens'],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Revoke this join token?"
      submitLabel="Revoke"
      isDanger
      error={revoke.error}
      errorTitle="The token was not revoked"
      isBusy={revoke.isPending}
      onClose={onClose}
      onSubmit={() => revoke.mutate({ joinTokenId: token.id ?? '' })}
    >
      <Content component="p">
        No further machine can enrol with <code>{token.id}</code>. Devices that did already are not touched.
      </Content>
    </FormDialog>
  );
}
