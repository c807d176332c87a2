import { Card, CardBody, CardHeader, CardTitle, Content } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { AccountLinkJson, UserJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { DeviceLink } from '../../ui/links.js';
import { SafeText } from '../../ui/safe-text.js';
import { TextField } from '../../ui/text-field.js';
import { useDeviceNames } from '../../ui/use-names.js';
import { USER_REFRESHES, type UserDialogProps } from './edit-user-dialog.js';

/** The accounts on devices that are the user's. */
export function AccountsCard({ user }: { readonly user: UserJson }): ReactElement {
  const [isLinking, setLinking] = useState(false);
  const [unlinking, setUnlinking] = useState<AccountLinkJson>();
  const linkRefusal = useRefusal('UserService/LinkAccount');
  const links = user.accounts ?? [];
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          actions: (
            <GuardedButton variant="link" isInline refusal={linkRefusal} onClick={() => setLinking(true)}>
              Link an account
            </GuardedButton>
          ),
        }}
      >
        <CardTitle component="h2">Accounts on devices</CardTitle>
      </CardHeader>
      <CardBody>
        {links.length === 0 ? (
          <span className="curfew-subtle">
            None yet. An account of the same name is linked by itself when the person first asks on the device.
          </span>
        ) : (
          <Table variant="compact" aria-label="Linked accounts" borders={false}>
            <Thead>
              <Tr>
                <Th>Device</Th>
                <Th>Account</Th>
                <Th>Linked</Th>
                <Th screenReaderText="Unlink" />
              </Tr>
            </Thead>
            <Tbody>
              {links.map((link) => (
                <Tr key={`${link.deviceId ?? ''}/${link.accountName ?? ''}`}>
                  <Td dataLabel="Device" modifier="breakWord">
                    <DeviceLink id={link.deviceId} name={link.deviceName} />
                  </Td>
                  <Td dataLabel="Account" modifier="breakWord">
                    <SafeText text={link.accountName ?? ''} />
                  </Td>
                  <Td dataLabel="Linked" modifier="breakWord">
                    {link.linkedBy === 'by name' ? (
                      'by name'
                    ) : (
                      <>
                        by <SafeText text={link.linkedBy ?? ''} />
                      </>
                    )}
                  </Td>
                  <Td dataLabel="Unlink" modifier="fitContent">
                    <GuardedButton
                      variant="link"
                      isInline
                      aria-label={`Unlink ${link.accountName ?? ''} on ${link.deviceName ?? ''}`}
                      refusal={linkRefusal}
                      onClick={() => setUnlinking(link)}
                    >
                      Unlink
                    </GuardedButton>
                  </Td>
                </Tr>
              ))}
            </Tbody>
          </Table>
        )}
      </CardBody>
      {isLinking ? <LinkDialog user={user} onClose={() => setLinking(false)} /> : null}
      {unlinking === undefined ? null : (
        <UnlinkDialog user={user} link={unlinking} onClose={() => setUnlinking(undefined)} />
      )}
    </Card>
  );
}

/** What is said at a field: also where the server gives that a code of its own. */
const problemOf = (error: Error | null, field: string, code: string): string | undefined =>
  fieldError(error, field) ?? (error instanceof ApiError && error.code === code ? errorSentence(error) : undefined);

function LinkDialog({ user, onClose }: UserDialogProps): ReactElement {
  const [device, setDevice] = useState('');
  const [account, setAccount] = useState(user.name ?? '');
  const names = useDeviceNames(device);
  const found = useApiQuery('DeviceService/GetDevice', { device }, { enabled: names.includes(device) });
  const link = useApiMutation('UserService/LinkAccount', {
    quiet: true,
    refreshes: [...USER_REFRESHES, 'DeviceService/GetDevice'],
    onDone: onClose,
  });
  const deviceProblem = problemOf(link.error, 'device', 'DEVICE_NOT_FOUND');
  const accountProblem = problemOf(link.error, 'account', 'ACCOUNT_NOT_FOUND');
  return (
    <FormDialog
      title="Link an account"
      submitLabel="Link"
      errorTitle="Nothing was linked"
      error={(deviceProblem ?? accountProblem) ? null : link.error}
      isReady={device.trim() !== '' && account.trim() !== ''}
      isBusy={link.isPending}
      focus="link-device"
      onClose={onClose}
      onSubmit={() => link.mutate({ user: user.id ?? '', device: device.trim(), account: account.trim() })}
    >
      <Content component="p">
        <SafeText text={user.name ?? ''} /> can then ask for rights of that account. Another user’s link to it is
        replaced.
      </Content>
      <TextField
        id="link-device"
        label="Device"
        isRequired
        value={device}
        onChange={setDevice}
        suggestions={names}
        problem={deviceProblem}
      />
      <TextField
        id="link-account"
        label="Account on it"
        isRequired
        value={account}
        onChange={setAccount}
        suggestions={(found.data?.device?.accounts ?? []).map(({ name }) => name ?? '')}
        problem={accountProblem}
      />
    </FormDialog>
  );
}

interface UnlinkDialogProps extends UserDialogProps {
  readonly link: AccountLinkJson;
}

function UnlinkDialog({ user, link, onClose }: UnlinkDialogProps): ReactElement {
  const unlink = useApiMutation('UserService/UnlinkAccount', {
    quiet: true,
    refreshes: USER_REFRESHES,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Unlink this account?"
      submitLabel="Unlink"
      isDanger
      errorTitle="Nothing was unlinked"
      error={unlink.error}
      isBusy={unlink.isPending}
      onClose={onClose}
      onSubmit={() =>
        unlink.mutate({ user: user.id ?? '', device: link.deviceId ?? '', account: link.accountName ?? '' })
      }
    >
      <Content component="p">
        <SafeText text={user.name ?? ''} /> can no longer ask for rights of <SafeText text={link.accountName ?? ''} />{' '}
        on <SafeText text={link.deviceName ?? ''} />. An account of the same name is linked again when the person next
        asks on the device.
      </Content>
    </FormDialog>
  );
}
