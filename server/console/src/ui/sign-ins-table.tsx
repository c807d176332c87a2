import { Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactElement } from 'react';
import { useApiMutation, useApiQuery } from '../api/use-api.js';
import { timeFromProto } from '../model/proto-json.js';
import { browserName } from './browser-name.js';
import { GuardedButton } from './guarded-button.js';
import { SafeText } from './safe-text.js';
import { ErrorView, LoadingView } from './states.js';
import { Ago, Moment } from './times.js';

export interface SignInsTableProps {
  /** Whose. Absent: one's own. */
  readonly user?: string;
  /** Why sign-ins cannot be ended here. */
  readonly refusal?: string | undefined;
}

/** Where somebody is signed in, and the way to end each. */
export function SignInsTable({ user, refusal }: SignInsTableProps): ReactElement {
  const answer = useApiQuery('SignInService/ListSignIns', user === undefined ? {} : { user }, {
    refetchIntervalMs: 10_000,
  });
  const end = useApiMutation('SignInService/EndSignIn', { refreshes: ['SignInService/ListSignIns'] });
  if (answer.error !== null)
    return (
      <ErrorView title="The sign-ins could not be loaded" error={answer.error} onRetry={() => void answer.refetch()} />
    );
  if (answer.isPending) return <LoadingView what="sign-ins" />;
  const signIns = answer.data.signIns ?? [];
  if (signIns.length === 0) return <span className="curfew-subtle">Signed in nowhere.</span>;
  return (
    <Table variant="compact" aria-label="Sign-ins" borders={false}>
      <Thead>
        <Tr>
          <Th modifier="nowrap">Where</Th>
          <Th modifier="nowrap">How</Th>
          <Th modifier="nowrap">Last used</Th>
          <Th modifier="nowrap">Ends</Th>
          <Th screenReaderText="End" />
        </Tr>
      </Thead>
      <Tbody>
        {signIns.map((signIn) => (
          <Tr key={signIn.id}>
            <Td dataLabel="Where" modifier="breakWord">
              <span title={signIn.userAgent}>
                <SafeText text={browserName(signIn.userAgent ?? '')} />
              </span>{' '}
              {signIn.current === true ? (
                <Label color="blue" isCompact>
                  this one
                </Label>
              ) : null}
              <div className="curfew-detail">
                <SafeText text={signIn.address ?? ''} />
              </div>
            </Td>
            <Td dataLabel="How" modifier="breakWord">
              {signIn.method}
            </Td>
            <Td dataLabel="Last used" modifier="nowrap">
              <Ago at={timeFromProto(signIn.lastUsedTime)} />
            </Td>
            <Td dataLabel="Ends" modifier="nowrap">
              <Moment at={timeFromProto(signIn.expireTime)} />
            </Td>
            <Td dataLabel="End" modifier="fitContent">
              <GuardedButton
                size="sm"
                variant="secondary"
                aria-label={`End the sign-in in ${browserName(signIn.userAgent ?? '')} from ${signIn.address ?? ''}`}
                refusal={refusal}
                isDisabled={end.isPending}
                onClick={() => end.mutate({ signInId: signIn.id ?? '' })}
              >
                End
              </GuardedButton>
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
