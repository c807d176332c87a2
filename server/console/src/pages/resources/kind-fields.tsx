import type { ReactElement } from 'react';
import type { ConnectorFieldJson } from '../../gen/api.js';
import { AreaField, ChoiceField, TextField } from '../../ui/text-field.js';
import type { Section, Values } from './kind-values.js';

export interface KindFieldsProps {
  readonly section: Section;
  readonly fields: readonly ConnectorFieldJson[];
  readonly values: Values;
  /** Secrets that the server keeps. */
  readonly kept?: readonly string[];
  readonly onChange: (values: Values) => void;
  readonly at: (field: string) => string | undefined;
}

/** The fields of a kind, as the server describes them. */
export function KindFields({ section, fields, values, kept = [], onChange, at }: KindFieldsProps): ReactElement {
  return (
    <>
      {fields.map((field) => {
        const name = field.name ?? '';
        return (
          <KindField
            key={`${section}.${name}`}
            id={`${section}-${name.replace(/_/g, '-')}`}
            field={field}
            isKept={kept.includes(name)}
            value={values[name] ?? ''}
            onChange={(value) => onChange({ ...values, [name]: value })}
            problem={at(`${section}.${name}`)}
          />
        );
      })}
    </>
  );
}

interface KindFieldProps {
  readonly id: string;
  readonly field: ConnectorFieldJson;
  readonly isKept: boolean;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly problem: string | undefined;
}

function KindField({ id, field, isKept, value, onChange, problem }: KindFieldProps): ReactElement {
  const { label = '', help = '', required = false, secret = false, multiline = false } = field;
  const { choices = [], defaultValue = '' } = field;
  const isNeeded = required && !isKept;
  const hint = isKept ? `Set, and never shown again. Leave it empty to keep it. ${help}` : help;
  const shared = { id, label, isRequired: isNeeded, value, onChange, problem };
  if (choices.length > 0)
    return (
      <ChoiceField
        {...shared}
        hint={hint}
        choices={[
          ...(defaultValue === '' && required
            ? []
            : [['', defaultValue === '' ? 'Not set' : `As usual: ${defaultValue}`] as const]),
          ...choices.map((choice) => [choice, choice] as const),
        ]}
      />
    );
  if (multiline) return <AreaField {...shared} hint={hint} isCode rows={4} />;
  return (
    <TextField
      {...shared}
      hint={defaultValue === '' ? hint : `${hint} Empty: ${defaultValue}.`}
      {...(secret ? { type: 'password' as const, autoComplete: 'new-password' } : {})}
    />
  );
}
