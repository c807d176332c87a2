import { Badge, MenuToggle, Select, SelectList, SelectOption } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';

export interface ChoiceFilterProps<W extends string> {
  readonly label: string;
  readonly choices: readonly (readonly [value: W, name: string])[];
  readonly chosen: readonly W[];
  readonly onChange: (chosen: readonly W[]) => void;
  /** Whether several can be chosen. */
  readonly isMulti?: boolean;
}

/** A filter with a few choices. Choosing the one that is chosen takes it back. */
export function ChoiceFilter<W extends string>(props: ChoiceFilterProps<W>): ReactElement {
  const { label, choices, chosen, onChange, isMulti = false } = props;
  const [isOpen, setOpen] = useState(false);
  const choose = (value: W): void => {
    const without = chosen.filter((one) => one !== value);
    const isOn = chosen.includes(value);
    onChange(isOn ? without : isMulti ? [...without, value] : [value]);
    if (!isMulti) setOpen(false);
  };
  return (
    <Select
      shouldFocusFirstItemOnOpen
      shouldFocusToggleOnSelect
      role={isMulti ? 'menu' : 'listbox'}
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={(_event, value) => choose(value as W)}
      selected={isMulti ? [...chosen] : chosen[0]}
      toggle={(ref) => (
        <MenuToggle ref={ref} isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {label} {chosen.length > 0 ? <Badge isRead>{chosen.length}</Badge> : null}
        </MenuToggle>
      )}
    >
      <SelectList aria-label={label}>
        {choices.map(([value, name]) => (
          <SelectOption
            key={value}
            value={value}
            {...(isMulti ? { hasCheckbox: true } : {})}
            isSelected={chosen.includes(value)}
          >
            {name}
          </SelectOption>
        ))}
      </SelectList>
    </Select>
  );
}
