import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  HelperText,
  HelperTextItem,
  Label,
  LabelGroup,
  TextInput,
} from '@patternfly/react-core';
import { PlusCircleIcon } from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon.js';
import { TimesIcon } from '@patternfly/react-icons/dist/esm/icons/times-icon.js';
import { useState, type ReactElement } from 'react';
import { useApiMutation } from '../../api/use-api.js';
import { useRefusal } from '../../auth/use-auth.js';
import type { DeviceJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { GuardedButton } from '../../ui/guarded-button.js';
import { SafeText } from '../../ui/safe-text.js';
import { labelProblems, labelRows, labelsOf, type LabelRow } from './labels.js';

/** The labels of a device, by which policies pick it. */
export function LabelsCard({ device }: { readonly device: DeviceJson }): ReactElement {
  const [isEditing, setEditing] = useState(false);
  const refusal = useRefusal('DeviceService/UpdateDevice');
  const rows = labelRows(device.labels);
  return (
    <Card isCompact>
      <CardHeader
        actions={{
          actions: (
            <GuardedButton variant="link" isInline refusal={refusal} onClick={() => setEditing(true)}>
              Edit labels
            </GuardedButton>
          ),
        }}
      >
        <CardTitle component="h2">Labels</CardTitle>
      </CardHeader>
      <CardBody>
        {rows.length === 0 ? (
          <span className="curfew-subtle">
            None. Policies can pick devices by their labels, such as env=production.
          </span>
        ) : (
          <LabelGroup numLabels={50} aria-label="Labels">
            {rows.map(({ name, value }) => (
              <Label key={name}>
                {name}={value}
              </Label>
            ))}
          </LabelGroup>
        )}
      </CardBody>
      {isEditing ? <LabelsDialog device={device} onClose={() => setEditing(false)} /> : null}
    </Card>
  );
}

interface LabelsDialogProps {
  readonly device: DeviceJson;
  readonly onClose: () => void;
}

function LabelsDialog({ device, onClose }: LabelsDialogProps): ReactElement {
  const [rows, setRows] = useState<readonly LabelRow[]>(() => [...labelRows(device.labels), { name: '', value: '' }]);
  const problems = labelProblems(rows);
  const update = useApiMutation('DeviceService/UpdateDevice', {
    quiet: true,
    refreshes: ['DeviceService/GetDevice', 'DeviceService/ListDevices'],
    onDone: onClose,
  });
  const change = (at: number, row: LabelRow): void => setRows(rows.map((one, index) => (index === at ? row : one)));
  return (
    <FormDialog
      title="Labels"
      submitLabel="Save"
      size="medium"
      error={update.error}
      errorTitle="The labels were not changed"
      isReady={problems.every((problem) => problem === undefined)}
      isBusy={update.isPending}
      onClose={onClose}
      onSubmit={() => update.mutate({ device: device.id ?? '', labels: labelsOf(rows) })}
    >
      <p>
        Policies that pick <SafeText text={device.name ?? ''} /> by its labels follow at once, for new requests.
      </p>
      <div className="curfew-stack" role="group" aria-label="Labels">
        {rows.map((row, index) => (
          <LabelLine
            key={index}
            row={row}
            number={index + 1}
            problem={problems[index]}
            onChange={(next) => change(index, next)}
            onRemove={() => setRows(rows.filter((_row, at) => at !== index))}
          />
        ))}
        <div>
          <Button
            variant="link"
            isInline
            icon={<PlusCircleIcon />}
            onClick={() => setRows([...rows, { name: '', value: '' }])}
          >
            One more
          </Button>
        </div>
      </div>
    </FormDialog>
  );
}

interface LabelLineProps {
  readonly row: LabelRow;
  readonly number: number;
  readonly problem: string | undefined;
  readonly onChange: (row: LabelRow) => void;
  readonly onRemove: () => void;
}

function LabelLine({ row, number, problem, onChange, onRemove }: LabelLineProps): ReactElement {
  const look = problem === undefined ? 'default' : 'error';
  return (
    <div>
      <div className="curfew-pair">
        <TextInput
          aria-label={`Name of label ${number}`}
          placeholder="name"
          value={row.name}
          validated={look}
          onChange={(_event, name) => onChange({ ...row, name })}
        />
        <span aria-hidden>=</span>
        <TextInput
          aria-label={`Value of label ${number}`}
          placeholder="value"
          value={row.value}
          validated={look}
          onChange={(_event, value) => onChange({ ...row, value })}
        />
        <Button variant="plain" aria-label={`Remove label ${number}`} icon={<TimesIcon />} onClick={onRemove} />
      </div>
      {problem === undefined ? null : (
        <HelperText>
          <HelperTextItem variant="error">{problem}</HelperTextItem>
        </HelperText>
      )}
    </div>
  );
}
