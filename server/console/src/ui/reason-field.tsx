import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextArea } from '@patternfly/react-core';
import type { ReactElement, Ref } from 'react';

/** The server takes no longer reason. */
const LONGEST_REASON = 500;

export interface ReasonFieldProps {
  readonly id: string;
  readonly label?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isRequired?: boolean;
  readonly problem?: string | undefined;
  /** Who reads it. */
  readonly hint?: string;
  readonly inputRef?: Ref<HTMLTextAreaElement>;
}

/** Why something is done, in the person's words. */
export function ReasonField(props: ReasonFieldProps): ReactElement {
  const { id, label = 'Reason', value, onChange, isRequired = true, problem, hint, inputRef } = props;
  const text = problem ?? hint;
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      <TextArea
        id={id}
        {...(inputRef === undefined ? {} : { ref: inputRef })}
        isRequired={isRequired}
        maxLength={LONGEST_REASON}
        rows={2}
        resizeOrientation="vertical"
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
