import { Checkbox, ExpandableSection } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { ApiError, errorSentence } from '../../api/api-error.js';
import type { ConnectorJson, ConnectorKindJson, ResourceJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { AreaField, ChoiceField, TextField } from '../../ui/text-field.js';
import { KindFields } from './kind-fields.js';
import {
  firstValues,
  isFilled,
  isOwnWay,
  refusalAt,
  sentValues,
  subjectsFromText,
  subjectsText,
  type Values,
} from './kind-values.js';
import { TryPanel } from './try-panel.js';
import { RESOURCE_REFRESHES } from './use-resources.js';

export interface ResourceDialogProps {
  /** Undefined: a new one. */
  readonly resource: ResourceJson | undefined;
  readonly connectors: readonly ConnectorJson[];
  readonly kinds: readonly ConnectorKindJson[];
  readonly onClose: () => void;
}

interface Wish {
  readonly name: string;
  readonly description: string;
  readonly connector: string;
  readonly target: Values;
  readonly subjects: string;
  readonly disabled: boolean;
}

const targetFields = ({ connectors, kinds }: ResourceDialogProps, name: string): ConnectorKindJson['target'] => {
  const kind = connectors.find((one) => one.name === name)?.kind ?? name;
  return kinds.find((one) => one.kind === kind)?.target ?? [];
};

/** The connectors, and the kinds that need none; those are called by their kind. */
const waysTo = ({ connectors, kinds }: ResourceDialogProps): (readonly [value: string, name: string])[] => [
  ...connectors.map(({ name = '' }) => [name, name] as const),
  ...kinds.filter(isOwnWay).map(({ kind = '', title = '' }) => [kind, title] as const),
];

function wishOf(props: ResourceDialogProps): Wish {
  const { resource } = props;
  const before = resource?.connector === '' ? resource.connectorKind : resource?.connector;
  const connector = before ?? waysTo(props)[0]?.[0] ?? '';
  return {
    name: resource?.name ?? '',
    description: resource?.description ?? '',
    connector,
    target: firstValues(targetFields(props, connector) ?? [], resource?.target),
    subjects: subjectsText(resource?.subjects),
    disabled: resource?.disabled ?? false,
  };
}

/** Makes or changes a resource. It can be tried before it is saved. */
export function ResourceDialog(props: ResourceDialogProps): ReactElement {
  const { resource, onClose } = props;
  const { toasts } = useServices();
  const [wish, setWish] = useState<Wish>(() => wishOf(props));
  const fields = targetFields(props, wish.connector) ?? [];
  const subjects = subjectsFromText(wish.subjects);
  const put = useApiMutation('ResourceService/PutResource', {
    quiet: true,
    refreshes: RESOURCE_REFRESHES,
    onDone: () => {
      toasts.show('success', 'Saved', 'People can ask for it once a policy is about it.');
      onClose();
    },
  });
  const at = (field: string): string | undefined => resourceRefusalAt(put.error, field);
  const names = ['name', 'description', 'connector', 'subjects', ...fields.map((one) => `target.${one.name ?? ''}`)];
  const isReady = wish.name.trim() !== '' && isFilled(fields, wish.target) && typeof subjects !== 'string';
  const candidate: ResourceJson = {
    name: wish.name.trim(),
    description: wish.description.trim(),
    connector: wish.connector,
    target: sentValues(fields, wish.target),
    subjects: typeof subjects === 'string' ? [] : subjects,
    disabled: wish.disabled,
  };
  return (
    <FormDialog
      title={resource === undefined ? 'New resource' : `Change ${resource.name ?? ''}`}
      submitLabel="Save"
      size="medium"
      errorTitle="Nothing was saved"
      error={names.some((field) => at(field) !== undefined) ? null : put.error}
      isReady={isReady}
      isBusy={put.isPending}
      focus={resource === undefined ? 'resource-name' : 'resource-description'}
      onClose={onClose}
      onSubmit={() => put.mutate({ resource: candidate })}
    >
      <ResourceFields
        {...props}
        wish={wish}
        onChange={(more) => setWish({ ...wish, ...more })}
        at={at}
        subjectsProblem={typeof subjects === 'string' ? subjects : at('subjects')}
      />
      <ExpandableSection toggleText="Try it before it is saved" isIndented>
        <TryPanel which={{ candidate }} refusal={isReady ? undefined : 'Fill in what is needed first.'} />
      </ExpandableSection>
    </FormDialog>
  );
}

interface ResourceFieldsProps extends ResourceDialogProps {
  readonly wish: Wish;
  readonly onChange: (more: Partial<Wish>) => void;
  readonly at: (field: string) => string | undefined;
  readonly subjectsProblem: string | undefined;
}

function ResourceFields(props: ResourceFieldsProps): ReactElement {
  const { resource, wish, onChange, at, subjectsProblem } = props;
  return (
    <>
      {resource === undefined ? (
        <TextField
          id="resource-name"
          label="Name"
          isRequired
          maxLength={64}
          value={wish.name}
          onChange={(name) => onChange({ name })}
          problem={at('name')}
          hint="Letters, digits, dots, underscores and hyphens. It stays."
        />
      ) : null}
      <TextField
        id="resource-description"
        label="What it is for"
        maxLength={500}
        value={wish.description}
        onChange={(description) => onChange({ description })}
        problem={at('description')}
        hint="Those who ask read it."
      />
      <ChoiceField
        id="resource-connector"
        label="Connector"
        value={wish.connector}
        choices={waysTo(props)}
        onChange={(connector) =>
          onChange({ connector, target: firstValues(targetFields(props, connector) ?? [], wish.target) })
        }
        problem={at('connector')}
      />
      <KindFields
        section="target"
        fields={targetFields(props, wish.connector) ?? []}
        values={wish.target}
        onChange={(target) => onChange({ target })}
        at={at}
      />
      <AreaField
        id="resource-subjects"
        label="Who is called otherwise there"
        rows={3}
        isCode
        value={wish.subjects}
        onChange={(subjects) => onChange({ subjects })}
        problem={subjectsProblem}
        hint="One a line: user = name there. Only those who are not found by their name or mail address."
      />
      <Checkbox
        id="resource-disabled"
        label="Nobody can ask for it any more"
        description="Sessions that run go on."
        isChecked={wish.disabled}
        onChange={(_event, disabled) => onChange({ disabled })}
      />
    </>
  );
}

/** Refusals with codes of their own are about one field too. */
function resourceRefusalAt(error: Error | null, field: string): string | undefined {
  const refusal = refusalAt(error, 'resource', field);
  if (refusal !== undefined || !(error instanceof ApiError)) return refusal;
  const about = { CONNECTOR_NOT_FOUND: 'connector', DEVICE_NOT_FOUND: 'target.device', USER_NOT_FOUND: 'subjects' }[
    error.code
  ];
  return about === field ? errorSentence(error) : undefined;
}
