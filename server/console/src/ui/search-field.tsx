import { durationMs } from '@curfew/shared/browser';
import { SearchInput } from '@patternfly/react-core';
import { useEffect, useState, type ReactElement } from 'react';
import { useServices } from '../app/services.js';

/** How long typing must rest before the list is asked for again. */
const REST_MS = 250;

export interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A search that follows what is typed, once it rests. */
export function SearchField({ label, value, onChange }: SearchFieldProps): ReactElement {
  const { clock } = useServices();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    return clock.after(durationMs(REST_MS), () => onChange(text));
  }, [text, value, clock, onChange]);
  return (
    <SearchInput
      aria-label={label}
      placeholder={label}
      value={text}
      onChange={(_event, next) => setText(next)}
      onClear={() => {
        setText('');
        onChange('');
      }}
    />
  );
}
