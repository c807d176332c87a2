import { ActionGroup, Button, Form, PageSection } from '@patternfly/react-core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { failureTitle } from '../../api/api-error.js';
import { useServices } from '../../app/services.js';
import type { WaitingTool } from '../../auth/auth-client.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FactList } from '../../ui/fact-list.js';
import { Notice } from '../../ui/notice.js';
import { PageHeader } from '../../ui/page-header.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { TextField } from '../../ui/text-field.js';
import { Ago } from '../../ui/times.js';
import { userCode } from './user-code.js';

const route = getRouteApi('/device');

/** Lets `curfewctl login` on some machine act as the person who is signed in here, once it is shown who asks. */
export function DeviceCodePage(): ReactElement {
  const { code: given } = route.useSearch();
  const { auth } = useServices();
  const { user } = useSignedIn();
  const [typed, setTyped] = useState(given ?? '');
  const code = userCode(typed);
  // Asked once for each code: one that is none counts as a guess.
  const tool = useQuery({
    queryKey: ['device-code', code],
    queryFn: () => auth.showDevice(code ?? ''),
    enabled: code !== undefined,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  const decide = useMutation({ mutationFn: (approve: boolean) => auth.decideDevice(code ?? '', approve) });
  return (
    <>
      <PageHeader
        title="Sign in a command line"
        description={`A terminal that runs curfewctl login will act as ${user.name}, with the role ${user.role}.`}
      />
      <PageSection hasBodyWrapper={false} className="curfew-narrow">
        {decide.isSuccess ? (
          <Decided approved={decide.variables} />
        ) : (
          <Form onSubmit={(event) => event.preventDefault()} aria-label="Sign in a command line">
            {decide.error === null ? null : (
              <ErrorView title={failureTitle(decide.error, 'The code was not taken')} error={decide.error} />
            )}
            <TextField
              id="user-code"
              label="Code that the terminal shows"
              isRequired
              placeholder="ABCD-EFGH"
              value={typed}
              isDisabled={decide.isPending}
              onChange={(next) => {
                setTyped(next);
                decide.reset();
              }}
            />
            {code === undefined ? null : tool.error !== null ? (
              <ErrorView
                title="Nothing can be allowed with this code"
                error={tool.error}
                onRetry={() => void tool.refetch()}
              />
            ) : tool.data === undefined ? (
              <LoadingView what="who asks" />
            ) : (
              <WhoAsks tool={tool.data} role={user.role} />
            )}
            <ActionGroup>
              <Button isDisabled={!tool.isSuccess} isLoading={decide.isPending} onClick={() => decide.mutate(true)}>
                Allow
              </Button>
              <Button
                variant="secondary"
                isDanger
                isDisabled={!tool.isSuccess || decide.isPending}
                onClick={() => decide.mutate(false)}
              >
                Refuse
              </Button>
            </ActionGroup>
          </Form>
        )}
      </PageSection>
    </>
  );
}

/** What is known of the tool, and what it means to let it in. */
function WhoAsks({ tool, role }: { readonly tool: WaitingTool; readonly role: string }): ReactElement {
  return (
    <>
      <FactList
        facts={[
          ['Calls itself', <SafeText key="client" text={tool.client} />],
          ['Comes from', <SafeText key="address" text={tool.address} />],
          ['Asked', <Ago key="asked" at={timeFromProto(tool.createTime)} />],
        ]}
      />
      <Notice
        variant="warning"
        title="Allow it only if you have just started curfewctl login yourself, and your terminal shows this code"
      >
        If somebody sent you this link or this code, refuse it: they would act as you, with the role {role}.
      </Notice>
    </>
  );
}

function Decided({ approved }: { readonly approved: boolean }): ReactElement {
  return (
    <Notice
      variant={approved ? 'success' : 'info'}
      isLiveRegion
      title={approved ? 'The command line is signed in' : 'The command line was refused'}
    >
      {approved ? 'You can go back to the terminal and close this page.' : 'Nobody was signed in with this code.'}
    </Notice>
  );
}
