import { Dropdown, DropdownItem, DropdownList, MenuToggle, ToolbarItem } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { errorSentence } from '../../api/api-error.js';
import { useServices } from '../../app/services.js';
import { useRefusal } from '../../auth/use-auth.js';
import { downloadText } from '../../export/download.js';
import { allMatching, sessionsCsv } from './session-csv.js';
import type { SessionQuery } from './session-query.js';

export interface BulkActionsProps {
  readonly query: SessionQuery;
  /** How many are ticked. */
  readonly count: number;
  /** How many match. Undefined until it is known. */
  readonly total: number | undefined;
  readonly onRevoke: () => void;
}

const guarded = (refusal: string | undefined): object =>
  refusal === undefined ? {} : { isAriaDisabled: true, tooltipProps: { content: refusal } };

/** Actions on what is ticked, and on the whole list. */
export function BulkActions({ query, count, total, onRevoke }: BulkActionsProps): ReactElement {
  const { api, serverClock, toasts } = useServices();
  const [isOpen, setOpen] = useState(false);
  const roleRefusal = useRefusal('SessionService/RevokeSessions');
  const revokeRefusal = roleRefusal ?? (count === 0 ? 'Select sessions first.' : undefined);
  const save = useMutation({
    mutationFn: () => allMatching(api, query),
    onSuccess: (sessions) => {
      const day = new Date(serverClock.now()).toISOString().slice(0, 19).replace(/[:T]/g, '-');
      downloadText(`curfew-${query.tab}-${day}.csv`, 'text/csv;charset=utf-8', sessionsCsv(sessions));
      toasts.show('success', `${sessions.length.toLocaleString('en')} sessions exported`);
    },
    onError: (error) => toasts.show('danger', 'The sessions were not exported', errorSentence(error)),
  });
  return (
    <ToolbarItem>
      <Dropdown
        shouldFocusFirstItemOnOpen
        shouldFocusToggleOnSelect
        isOpen={isOpen}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        toggle={(ref) => (
          <MenuToggle
            ref={ref}
            variant={count > 0 ? 'primary' : 'default'}
            isExpanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          >
            Actions
          </MenuToggle>
        )}
      >
        <DropdownList>
          <DropdownItem key="revoke" isDanger onClick={onRevoke} {...guarded(revokeRefusal)}>
            Revoke{count > 0 ? ` ${count.toLocaleString('en')} selected` : ' selected'}…
          </DropdownItem>
          <DropdownItem
            key="csv"
            onClick={() => save.mutate()}
            {...guarded(
              total === 0 ? 'There is nothing to export.' : save.isPending ? 'It is being exported.' : undefined,
            )}
          >
            Export {total?.toLocaleString('en') ?? ''} as CSV
          </DropdownItem>
        </DropdownList>
      </Dropdown>
    </ToolbarItem>
  );
}
