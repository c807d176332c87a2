import { Checkbox } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { ChannelJson } from '../../gen/api.js';
import { namesIn } from '../../model/user-roles.js';
import { FormDialog, NoticeDialog } from '../../ui/form-dialog.js';
import { SecretOnce } from '../../ui/secret-once.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import {
  CHANNEL_FACTS,
  CHANNEL_KINDS,
  channelKindFromProto,
  channelKindToProto,
  type ChannelKind,
} from './channel-kinds.js';

/** Kept answers that a changed channel makes old. */
export const CHANNEL_REFRESHES = ['NotificationService/ListChannels', 'NotificationService/ListDeliveries'] as const;

interface Wish {
  readonly name: string;
  readonly kind: ChannelKind;
  readonly target: string;
  readonly events: string;
  readonly secret: string;
  readonly disabled: boolean;
}

const wishOf = (channel: ChannelJson | undefined): Wish => ({
  name: channel?.name ?? '',
  kind: channelKindFromProto(channel?.kind),
  target: channel?.target ?? '',
  events: (channel?.eventTypes ?? []).join(', '),
  secret: '',
  disabled: channel?.disabled ?? false,
});

/** What is said at a field, whether the server names it inside of the channel or not. */
const refusalAt = (error: Error | null, field: string): string | undefined =>
  fieldError(error, `channel.${field}`) ??
  fieldError(error, field) ??
  (field === 'target' && error instanceof ApiError && error.code === 'TARGET_NOT_ALLOWED'
    ? errorSentence(error)
    : undefined);

export interface ChannelDialogProps {
  /** Undefined: a new one. */
  readonly channel: ChannelJson | undefined;
  readonly onClose: () => void;
}

/** Makes or changes a channel. A secret that the server has made is shown once. */
export function ChannelDialog({ channel, onClose }: ChannelDialogProps): ReactElement {
  const { toasts } = useServices();
  const [wish, setWish] = useState<Wish>(() => wishOf(channel));
  const [secret, setSecret] = useState('');
  const put = useApiMutation('NotificationService/PutChannel', {
    quiet: true,
    refreshes: CHANNEL_REFRESHES,
    onDone: (answer) => {
      if ((answer.secret ?? '') !== '') {
        setSecret(answer.secret ?? '');
        return;
      }
      toasts.show('success', 'Saved', 'Send a test to see whether it arrives.');
      onClose();
    },
  });
  if (secret !== '')
    return (
      <NoticeDialog title="The channel was made" onClose={onClose}>
        <SecretOnce label="Signing secret" text={secret}>
          The receiver checks with it that a call is from this server.
        </SecretOnce>
      </NoticeDialog>
    );
  const at = (field: string): string | undefined => refusalAt(put.error, field);
  const isAtField = ['name', 'kind', 'target', 'eventTypes', 'secret'].some((field) => at(field) !== undefined);
  return (
    <FormDialog
      title={channel === undefined ? 'New channel' : `Change ${channel.name ?? ''}`}
      submitLabel="Save"
      errorTitle="Nothing was saved"
      error={isAtField ? null : put.error}
      isReady={wish.name.trim() !== '' && wish.target.trim() !== ''}
      isBusy={put.isPending}
      focus={channel === undefined ? 'channel-name' : 'channel-target'}
      onClose={onClose}
      onSubmit={() =>
        put.mutate({
          channel: {
            name: wish.name.trim(),
            kind: channelKindToProto(wish.kind),
            target: wish.target.trim(),
            eventTypes: namesIn(wish.events),
            disabled: wish.disabled,
            ...(channel?.slackUsers === undefined ? {} : { slackUsers: channel.slackUsers }),
          },
          ...(wish.secret.trim() === '' ? {} : { secret: wish.secret.trim() }),
        })
      }
    >
      <ChannelFields
        isNew={channel === undefined}
        wish={wish}
        onChange={(more) => setWish({ ...wish, ...more })}
        at={at}
      />
    </FormDialog>
  );
}

interface ChannelFieldsProps {
  readonly isNew: boolean;
  readonly wish: Wish;
  readonly onChange: (more: Partial<Wish>) => void;
  readonly at: (field: string) => string | undefined;
}

function ChannelFields({ isNew, wish, onChange, at }: ChannelFieldsProps): ReactElement {
  const facts = CHANNEL_FACTS[wish.kind];
  return (
    <>
      {isNew ? (
        <>
          <TextField
            id="channel-name"
            label="Name"
            isRequired
            maxLength={64}
            value={wish.name}
            onChange={(name) => onChange({ name })}
            problem={at('name')}
            hint="Letters, digits, dots, underscores and hyphens."
          />
          <ChoiceField
            id="channel-kind"
            label="Kind"
            value={wish.kind}
            choices={CHANNEL_KINDS.map((kind) => [kind, CHANNEL_FACTS[kind].name] as const)}
            onChange={(kind) => onChange({ kind })}
            problem={at('kind')}
          />
        </>
      ) : null}
      <TextField
        id="channel-target"
        label="Where"
        isRequired
        placeholder={facts.example}
        value={wish.target}
        onChange={(target) => onChange({ target })}
        problem={at('target')}
        hint={facts.target}
      />
      <TextField
        id="channel-events"
        label="Which events"
        placeholder="request., session."
        value={wish.events}
        onChange={(events) => onChange({ events })}
        problem={at('eventTypes')}
        hint="How their types begin, separated by commas. Empty: all."
      />
      {facts.secret === undefined ? null : (
        <TextField
          id="channel-secret"
          label="Secret"
          value={wish.secret}
          onChange={(secret) => onChange({ secret })}
          problem={at('secret')}
          hint={facts.secret}
        />
      )}
      <Checkbox
        id="channel-disabled"
        label="Send nothing for now"
        isChecked={wish.disabled}
        onChange={(_event, disabled) => onChange({ disabled })}
      />
    </>
  );
}
