import { Dropdown, DropdownItem, DropdownList, MenuToggle, MenuToggleCheckbox } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';

export interface BulkSelectProps {
  /** How many are ticked. */
  readonly count: number;
  /** How many of the page can be ticked, and whether all of them are. */
  readonly pageCount: number;
  readonly isPageTicked: boolean;
  /** How many match on all pages. Undefined until it is known. */
  readonly total: number | undefined;
  readonly onNone: () => void;
  readonly onPage: () => void;
  readonly onMatching: () => void;
}

/** Ticks nothing, the page, or everything that matches on all pages. */
export function BulkSelect(props: BulkSelectProps): ReactElement {
  const { count, pageCount, isPageTicked, total, onNone, onPage, onMatching } = props;
  const [isOpen, setOpen] = useState(false);
  const isChecked = count === 0 ? false : isPageTicked ? true : null;
  return (
    <Dropdown
      shouldFocusFirstItemOnOpen
      shouldFocusToggleOnSelect
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={isOpen}
          aria-label="Select several"
          onClick={() => setOpen(!isOpen)}
          splitButtonItems={[
            <MenuToggleCheckbox
              key="page"
              id="select-page"
              aria-label={isPageTicked ? 'Select none' : 'Select this page'}
              isChecked={isChecked}
              onChange={() => (count > 0 ? onNone() : onPage())}
            >
              {count > 0 ? `${count.toLocaleString('en')} selected` : null}
            </MenuToggleCheckbox>,
          ]}
        />
      )}
    >
      <DropdownList>
        <DropdownItem key="none" onClick={onNone} isDisabled={count === 0}>
          Select none
        </DropdownItem>
        <DropdownItem key="page" onClick={onPage} isDisabled={pageCount === 0}>
          Select this page ({pageCount})
        </DropdownItem>
        <DropdownItem key="all" onClick={onMatching} isDisabled={total === undefined || total === 0}>
          Select all {total?.toLocaleString('en') ?? ''} that match
        </DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
