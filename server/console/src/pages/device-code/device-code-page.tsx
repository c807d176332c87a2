import { ActionGroup, Button, Form, FormGroup, PageSection, TextInput } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { useServices } from '../../app/services.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { PageHeader } from '../../ui/page-header.js';
import { ErrorView } from '../../ui/states.js';
import { Notice } from '../../ui/notice.js';

const route = getRouteApi('/device');

/** Lets `curfewctl login` on some machine act as the person who is signed in here. */
export function DeviceCodePage(): ReactElement {
  const { code: given } = route.useSearch();
  const { auth } = useServices();
  const { user } = useSignedIn();
  const [code, setCode] = useState(given ?? '');
  const decide = useMutation({
    mutationFn: (approve: boolean) => auth.decideDevice(code.trim().toUpperCase(), approve),
  });
  const isWhole = /^[A-Za-z0-9]{4}-?[A-Za-z0-9]{4}$/.test(code.trim());
  return (
    <>
      <PageHeader
        title="Sign in a command line"
        description={`A terminal that runs curfewctl login will act as ${user.name}, with the role ${user.role}.`}
      />
      <PageSection hasBodyWrapper={false} className="curfew-narrow">
        {decide.isSuccess ? (
          <Notice
            variant={decide.variables ? 'success' : 'info'}
            isLiveRegion
            title={decide.variables ? 'The command line is signed in' : 'The command line was refused'}
          >
            {decide.variables
              ? 'You can go back to the terminal and close this page.'
              : 'Nobody was signed in with this code.'}
          </Notice>
        ) : (
          <Form onSubmit={(event) => event.preventDefault()} aria-label="Sign in a command line">
            {decide.error === null ? null : <ErrorView title="The code was not taken" error={decide.error} />}
            <FormGroup label="Code that the terminal shows" fieldId="user-code" isRequired>
              <TextInput
                id="user-code"
                autoComplete="off"
                placeholder="ABCD-EFGH"
                value={code}
                onChange={(_event, value) => setCode(value)}
              />
            </FormGroup>
            <Notice
              variant="warning"
              isPlain
              title="Allow it only when you started curfewctl login yourself and the codes are the same."
            />
            <ActionGroup>
              <Button isDisabled={!isWhole} isLoading={decide.isPending} onClick={() => decide.mutate(true)}>
                Allow
              </Button>
              <Button
                variant="secondary"
                isDanger
                isDisabled={!isWhole || decide.isPending}
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
