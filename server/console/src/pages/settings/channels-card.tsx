import { Card, CardBody, CardHeader, CardTitle, Content, Label } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useState, type ReactElement } from 'react';
import { useApiMutation, useApiQuery } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { ChannelJson } from '../../gen/api.js';
import { timeFromProto } from '../../model/proto-json.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { SafeText } from '../../ui/safe-text.js';
import { ErrorView, LoadingView } from '../../ui/states.js';
import { Ago } from '../../ui/times.js';
import { ChannelDialog, CHANNEL_REFRESHES } from './channel-dialog.js';
import { CHANNEL_FACTS, channelKindFromProto } from './channel-kinds.js';

/** Where notices and audit events are sent. */
export function ChannelsCard(): ReactElement {
  const refusal = useRefusal('NotificationService/PutChannel');
  const answer = useApiQuery('NotificationService/ListChannels', {}, { refetchIntervalMs: 5_000 });
  const [editing, setEditing] = useState<{ readonly channel: ChannelJson | undefined }>();
  const [deleting, setDeleting] = useState<ChannelJson>();
  const channels = answer.data?.channels ?? [];
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          actions: (
            <GuardedButton variant="link" isInline refusal={refusal} onClick={() => setEditing({ channel: undefined })}>
              New channel
            </GuardedButton>
          ),
        }}
      >
        <CardTitle component="h2">Channels</CardTitle>
      </CardHeader>
      <CardBody>
        {answer.error !== null ? (
          <ErrorView
            title="The channels could not be loaded"
            error={answer.error}
            onRetry={() => void answer.refetch()}
          />
        ) : answer.isPending ? (
          <LoadingView what="channels" />
        ) : channels.length === 0 ? (
          <span className="curfew-subtle">
            None yet. A channel tells people of requests, and sends the audit log to a SIEM.
          </span>
        ) : (
          <ChannelTable
            channels={channels}
            onEdit={(channel) => setEditing({ channel })}
            onDelete={setDeleting}
            refusal={refusal}
          />
        )}
      </CardBody>
      {editing === undefined ? null : <ChannelDialog channel={editing.channel} onClose={() => setEditing(undefined)} />}
      {deleting === undefined ? null : <DeleteDialog channel={deleting} onClose={() => setDeleting(undefined)} />}
    </Card>
  );
}

interface ChannelTableProps {
  readonly channels: readonly ChannelJson[];
  readonly onEdit: (channel: ChannelJson) => void;
  readonly onDelete: (channel: ChannelJson) => void;
  readonly refusal: string | undefined;
}

function ChannelTable({ channels, ...actions }: ChannelTableProps): ReactElement {
  return (
    <Table variant="compact" aria-label="Channels" gridBreakPoint="grid-lg" borders={false}>
      <Thead>
        <Tr>
          <Th modifier="nowrap">Channel</Th>
          <Th modifier="nowrap">Where</Th>
          <Th modifier="nowrap">Events</Th>
          <Th modifier="nowrap">State</Th>
          <Th screenReaderText="Actions" />
        </Tr>
      </Thead>
      <Tbody>
        {channels.map((channel) => (
          <Tr key={channel.id}>
            <Td dataLabel="Channel" modifier="breakWord">
              <strong>
                <SafeText text={channel.name ?? ''} />
              </strong>
              <div className="curfew-detail">{CHANNEL_FACTS[channelKindFromProto(channel.kind)].name}</div>
            </Td>
            <Td dataLabel="Where" modifier="breakWord">
              <SafeText text={channel.target ?? ''} />
            </Td>
            <Td dataLabel="Events" modifier="breakWord">
              {(channel.eventTypes ?? []).length === 0 ? 'all' : (channel.eventTypes ?? []).join(', ')}
            </Td>
            <Td dataLabel="State" modifier="breakWord">
              <ChannelState channel={channel} />
            </Td>
            <Td dataLabel="Actions">
              <ChannelActions channel={channel} {...actions} />
            </Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}

function ChannelState({ channel }: { readonly channel: ChannelJson }): ReactElement {
  const [waiting, dead] = [Number(channel.waiting ?? 0), Number(channel.dead ?? 0)];
  const error = channel.lastError ?? '';
  return (
    <>
      <span className="curfew-buttons">
        {channel.disabled === true ? (
          <Label color="grey" isCompact>
            off
          </Label>
        ) : error === '' ? (
          <Label color="green" isCompact>
            well
          </Label>
        ) : (
          <Label color="red" isCompact>
            fails
          </Label>
        )}
        {waiting > 0 ? `${waiting} wait` : null}
        {dead > 0 ? ` ${dead} given up` : null}
      </span>
      {error === '' ? null : (
        <div className="curfew-detail">
          <SafeText text={error} />
        </div>
      )}
      {channel.lastDeliveredTime === undefined ? null : (
        <div className="curfew-detail">
          last delivered <Ago at={timeFromProto(channel.lastDeliveredTime)} />
        </div>
      )}
    </>
  );
}

interface ChannelActionsProps extends Omit<ChannelTableProps, 'channels'> {
  readonly channel: ChannelJson;
}

function ChannelActions({ channel, onEdit, onDelete, refusal }: ChannelActionsProps): ReactElement {
  const { toasts } = useServices();
  const name = channel.name ?? '';
  const test = useApiMutation('NotificationService/TestChannel', {
    refreshes: CHANNEL_REFRESHES,
    onDone: ({ delivered, detail = '' }) =>
      toasts.show(
        delivered === true ? 'success' : 'danger',
        delivered === true ? 'It arrived' : 'It did not arrive',
        detail,
      ),
  });
  const retry = useApiMutation('NotificationService/RetryDeliveries', {
    refreshes: CHANNEL_REFRESHES,
    onDone: ({ retried = 0 }) => toasts.show('success', `${retried} in line again`),
  });
  const nothingDead = Number(channel.dead ?? 0) === 0 ? 'Nothing was given up.' : undefined;
  return (
    <span className="curfew-buttons">
      <GuardedButton
        size="sm"
        variant="secondary"
        aria-label={`Test ${name}`}
        refusal={refusal}
        isLoading={test.isPending}
        onClick={() => test.mutate({ channel: name })}
      >
        Test
      </GuardedButton>
      <GuardedButton
        size="sm"
        variant="secondary"
        aria-label={`Try again what ${name} has given up`}
        refusal={refusal ?? nothingDead}
        isLoading={retry.isPending}
        onClick={() => retry.mutate({ channel: name })}
      >
        Retry
      </GuardedButton>
      <GuardedButton
        size="sm"
        variant="secondary"
        aria-label={`Change ${name}`}
        refusal={refusal}
        onClick={() => onEdit(channel)}
      >
        Change…
      </GuardedButton>
      <GuardedButton
        size="sm"
        variant="secondary"
        isDanger
        aria-label={`Remove ${name}`}
        refusal={refusal}
        onClick={() => onDelete(channel)}
      >
        Remove…
      </GuardedButton>
    </span>
  );
}

function DeleteDialog({
  channel,
  onClose,
}: {
  readonly channel: ChannelJson;
  readonly onClose: () => void;
}): ReactElement {
  const remove = useApiMutation('NotificationService/DeleteChannel', {
    quiet: true,
    refreshes: CHANNEL_REFRESHES,
    onDone: onClose,
  });
  const waiting = Number(channel.waiting ?? 0);
  return (
    <FormDialog
      title={`Remove ${channel.name ?? ''}?`}
      submitLabel="Remove"
      isDanger
      errorTitle="The channel was not removed"
      error={remove.error}
      isBusy={remove.isPending}
      onClose={onClose}
      onSubmit={() => remove.mutate({ channel: channel.name ?? '' })}
    >
      <Content component="p">
        Nothing is sent there any more.{' '}
        {waiting === 0
          ? ''
          : `${waiting === 1 ? 'One notice that waits is' : `${waiting} notices that wait are`} dropped.`}
      </Content>
    </FormDialog>
  );
}
