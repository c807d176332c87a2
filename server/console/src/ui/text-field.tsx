import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import type { ReactElement, ReactNode } from 'react';

export interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly isRequired?: boolean;
  /** What is wrong with it. */
  readonly problem?: string | undefined;
  /** What it should be. */
  readonly hint?: ReactNode;
}

/** What is below a field: what is wrong with it, or else what it should be. */
export function FieldHelp({ id, problem, hint }: Pick<FieldProps, 'id' | 'problem' | 'hint'>): ReactElement | null {
  const text = problem ?? hint;
  if (text === undefined) return null;
  return (
    <FormHelperText>
      <HelperText id={`${id}-help`} aria-live="polite">
        <HelperTextItem variant={problem === undefined ? 'default' : 'error'}>{text}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}

const describedBy = ({ id, problem, hint }: Pick<FieldProps, 'id' | 'problem' | 'hint'>): object =>
  problem === undefined && hint === undefined ? {} : { 'aria-describedby': `${id}-help` };

export interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: 'text' | 'email' | 'number' | 'time' | 'password';
  readonly placeholder?: string;
  readonly autoComplete?: string;
  readonly inputMode?: 'numeric' | 'text';
  readonly maxLength?: number;
  /** Names that are suggested. */
  readonly suggestions?: readonly string[];
  readonly isDisabled?: boolean;
}

/** A line of text. */
export function TextField(props: TextFieldProps): ReactElement {
  const { id, label, isRequired = false, problem, value, onChange, type = 'text', suggestions } = props;
  const { placeholder, autoComplete = 'off', inputMode, maxLength, isDisabled = false } = props;
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextInput
        id={id}
        type={type}
        isRequired={isRequired}
        isDisabled={isDisabled}
        autoComplete={autoComplete}
        value={value}
        validated={problem === undefined ? 'default' : 'error'}
        {...(placeholder === undefined ? {} : { placeholder })}
        {...(inputMode === undefined ? {} : { inputMode })}
        {...(maxLength === undefined ? {} : { maxLength })}
        {...(suggestions === undefined ? {} : { list: `${id}-names` })}
        {...describedBy(props)}
        onChange={(_event, next) => onChange(next)}
      />
      {suggestions === undefined ? null : (
        <datalist id={`${id}-names`}>
          {suggestions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
      <FieldHelp {...props} />
    </FormGroup>
  );
}

export interface AreaFieldProps extends FieldProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly rows?: number;
  /** Whether it is code: in letters of one width. */
  readonly isCode?: boolean;
  readonly maxLength?: number;
}

/** Several lines of text. */
export function AreaField(props: AreaFieldProps): ReactElement {
  const { id, label, isRequired = false, problem, value, onChange, rows = 3, isCode = false, maxLength } = props;
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextArea
        id={id}
        isRequired={isRequired}
        rows={rows}
        resizeOrientation="vertical"
        spellCheck={!isCode}
        className={isCode ? 'curfew-code' : ''}
        value={value}
        validated={problem === undefined ? 'default' : 'error'}
        {...(maxLength === undefined ? {} : { maxLength })}
        {...describedBy(props)}
        onChange={(_event, next) => onChange(next)}
      />
      <FieldHelp {...props} />
    </FormGroup>
  );
}

export interface ChoiceFieldProps<W extends string> extends FieldProps {
  readonly value: W;
  readonly choices: readonly (readonly [value: W, name: string])[];
  readonly onChange: (value: W) => void;
}

/** One of a few. */
export function ChoiceField<W extends string>(props: ChoiceFieldProps<W>): ReactElement {
  const { id, label, isRequired = false, problem, value, choices, onChange } = props;
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <FormSelect
        id={id}
        value={value}
        validated={problem === undefined ? 'default' : 'error'}
        {...describedBy(props)}
        onChange={(_event, next) => onChange(next as W)}
      >
        {choices.map(([word, name]) => (
          <FormSelectOption key={word} value={word} label={name} />
        ))}
      </FormSelect>
      <FieldHelp {...props} />
    </FormGroup>
  );
}
