import { useState, type ReactElement } from 'react';
import { namesIn } from '../../model/user-roles.js';
import { TextField, type FieldProps } from '../../ui/text-field.js';

export interface NamesFieldProps extends FieldProps {
  readonly value: readonly string[] | undefined;
  readonly onChange: (names: readonly string[] | undefined) => void;
  readonly placeholder?: string;
}

/** Several names in one line, separated by commas. None is undefined. */
export function NamesField({ value = [], onChange, ...field }: NamesFieldProps): ReactElement {
  const [text, setText] = useState(value.join(', '));
  // What was typed stays as it is for as long as it means the same.
  const shown = namesIn(text).join() === value.join() ? text : value.join(', ');
  return (
    <TextField
      {...field}
      value={shown}
      onChange={(next) => {
        setText(next);
        const names = namesIn(next);
        onChange(names.length === 0 ? undefined : names);
      }}
    />
  );
}

export interface CountFieldProps extends FieldProps {
  readonly value: number | undefined;
  readonly onChange: (count: number | undefined) => void;
}

/** A whole number. None is undefined. */
export function CountField({ value, onChange, ...field }: CountFieldProps): ReactElement {
  return (
    <TextField
      {...field}
      inputMode="numeric"
      value={value === undefined ? '' : String(value)}
      onChange={(text) => {
        const digits = text.replace(/\D/g, '').slice(0, 7);
        onChange(digits === '' || Number(digits) === 0 ? undefined : Number(digits));
      }}
    />
  );
}
