import { Button, InputGroup, InputGroupItem, TextInput } from '@patternfly/react-core';
import { ArrowRightIcon } from '@patternfly/react-icons/dist/esm/icons/arrow-right-icon.js';
import { useEffect, useId, useState, type ReactElement } from 'react';

export interface NameFilterProps {
  /** What is named, such as 'User'. */
  readonly label: string;
  readonly value: string;
  /** Names that begin or contain what is typed. */
  readonly suggestions: readonly string[];
  readonly onType: (text: string) => void;
  readonly onChange: (value: string) => void;
}

/** A field that takes one whole name, with suggestions while it is typed. */
export function NameFilter({ label, value, suggestions, onType, onChange }: NameFilterProps): ReactElement {
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const type = (next: string): void => {
    setText(next);
    onType(next);
    // A name that was chosen from the list counts at once.
    if (next === '' || suggestions.includes(next)) onChange(next);
  };
  return (
    <InputGroup>
      <InputGroupItem isFill>
        <TextInput
          id={id}
          aria-label={`Filter by ${label.toLowerCase()}`}
          placeholder={label}
          autoComplete="off"
          list={`${id}-names`}
          value={text}
          onChange={(_event, next) => type(next)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') onChange(text.trim());
          }}
        />
        <datalist id={`${id}-names`}>
          {suggestions.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </InputGroupItem>
      <InputGroupItem>
        <Button
          variant="control"
          aria-label={`Apply the filter by ${label.toLowerCase()}`}
          icon={<ArrowRightIcon />}
          onClick={() => onChange(text.trim())}
        />
      </InputGroupItem>
    </InputGroup>
  );
}
