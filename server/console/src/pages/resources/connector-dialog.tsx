import { Checkbox } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import type { ConnectorJson, ConnectorKindJson } from '../../gen/api.js';
import { ApiError, errorSentence } from '../../api/api-error.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import { KindFields } from './kind-fields.js';
import { firstValues, isFilled, refusalAt, secretsOf, sentValues, settingsOf, type Values } from './kind-values.js';
import { RESOURCE_REFRESHES } from './use-resources.js';

export interface ConnectorDialogProps {
  /** Undefined: a new one. */
  readonly connector: ConnectorJson | undefined;
  /** At least one. */
  readonly kinds: readonly ConnectorKindJson[];
  readonly onClose: () => void;
}

/** Makes or changes a connector. Secrets are written only: what is left empty stays as it is. */
export function ConnectorDialog({ connector, kinds, onClose }: ConnectorDialogProps): ReactElement {
  const { toasts } = useServices();
  const isNew = connector === undefined;
  const [name, setName] = useState(connector?.name ?? '');
  const [kindName, setKindName] = useState(connector?.kind ?? kinds[0]?.kind ?? '');
  const [isDisabled, setDisabled] = useState(connector?.disabled ?? false);
  const kind = kinds.find((one) => one.kind === kindName);
  const settings = settingsOf(kind);
  const secrets = secretsOf(kind);
  const kept = connector?.secretsSet ?? [];
  const [given, setGiven] = useState<Values>(() => firstValues(settings, connector?.settings));
  const [hidden, setHidden] = useState<Values>({});
  const put = useApiMutation('ResourceService/PutConnector', {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: () => {
      toasts.show('success', 'Saved', 'Try a resource of it to see whether it answers.');
      onClose();
    },
  });
  const at = (field: string): string | undefined => connectorRefusalAt(put.error, field);
  const names = [
    ...settings.map((one) => `settings.${one.name ?? ''}`),
    ...secrets.map((one) => `secrets.${one.name ?? ''}`),
  ];
  const isAtField = ['name', 'kind', ...names].some((field) => at(field) !== undefined);
  return (
    <FormDialog
      title={isNew ? 'New connector' : `Change ${connector.name ?? ''}`}
      submitLabel="Save"
      size="medium"
      errorTitle="Nothing was saved"
      error={isAtField ? null : put.error}
      isReady={name.trim() !== '' && isFilled(settings, given) && isFilled(secrets, hidden, kept)}
      isBusy={put.isPending}
      {...(isNew ? { focus: 'connector-name' } : {})}
      onClose={onClose}
      onSubmit={() =>
        put.mutate({
          connector: { name: name.trim(), kind: kindName, settings: sentValues(settings, given), disabled: isDisabled },
          secrets: sentValues(secrets, hidden),
        })
      }
    >
      {isNew ? (
        <NameAndKind
          name={name}
          onName={setName}
          kind={kindName}
          kinds={kinds}
          onKind={(next) => {
            setKindName(next);
            setGiven(firstValues(settingsOf(kinds.find((one) => one.kind === next)), given));
          }}
          at={at}
        />
      ) : null}
      <KindFields section="settings" fields={settings} values={given} onChange={setGiven} at={at} />
      <KindFields section="secrets" fields={secrets} values={hidden} kept={kept} onChange={setHidden} at={at} />
      <Checkbox
        id="connector-disabled"
        label="Give nothing new through it"
        description="What was given is taken away all the same."
        isChecked={isDisabled}
        onChange={(_event, disabled) => setDisabled(disabled)}
      />
    </FormDialog>
  );
}

interface NameAndKindProps {
  readonly name: string;
  readonly onName: (name: string) => void;
  readonly kind: string;
  readonly kinds: readonly ConnectorKindJson[];
  readonly onKind: (kind: string) => void;
  readonly at: (field: string) => string | undefined;
}

/** What a connector keeps for ever. */
function NameAndKind({ name, onName, kind, kinds, onKind, at }: NameAndKindProps): ReactElement {
  return (
    <>
      <TextField
        id="connector-name"
        label="Name"
        isRequired
        maxLength={64}
        value={name}
        onChange={onName}
        problem={at('name')}
        hint="Letters, digits, dots, underscores and hyphens. It stays."
      />
      <ChoiceField
        id="connector-kind"
        label="Kind"
        value={kind}
        choices={kinds.map((one) => [one.kind ?? '', one.title ?? ''] as const)}
        onChange={onKind}
        problem={at('kind')}
      />
    </>
  );
}

/** TARGET_NOT_ALLOWED is about an address, whatever the kind calls it. */
function connectorRefusalAt(error: Error | null, field: string): string | undefined {
  const refusal = refusalAt(error, 'connector', field);
  if (refusal !== undefined) return refusal;
  const isAddress = field === 'settings.url' || field === 'settings.host';
  return isAddress && error instanceof ApiError && error.code === 'TARGET_NOT_ALLOWED'
    ? errorSentence(error)
    : undefined;
}
