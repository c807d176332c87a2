import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from '@patternfly/react-core';
import type { ReactElement } from 'react';

/** The server takes nothing shorter. */
export const LEAST_PASSWORD_LENGTH = 12;

export interface PasswordFieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoComplete: 'current-password' | 'new-password';
  /** What is wrong with it. */
  readonly problem?: string | undefined;
  /** What it should be. */
  readonly hint?: string;
}

/** A field for a password, with what is wrong with it below. */
export function PasswordField(props: PasswordFieldProps): ReactElement {
  const { id, label, value, onChange, autoComplete, problem, hint } = props;
  const text = problem ?? hint;
  return (
    <FormGroup label={label} fieldId={id} isRequired>
      <TextInput
        id={id}
        type="password"
        autoComplete={autoComplete}
        isRequired
        value={value}
        validated={problem === undefined ? 'default' : 'error'}
        aria-describedby={text === undefined ? undefined : `${id}-help`}
        onChange={(_event, next) => onChange(next)}
      />
      {text === undefined ? null : (
        <FormHelperText>
          <HelperText id={`${id}-help`}>
            <HelperTextItem variant={problem === undefined ? 'default' : 'error'}>{text}</HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}
