import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { EllipsisVIcon } from '@patternfly/react-icons/dist/esm/icons/ellipsis-v-icon.js';
import { useEffect, useState, type ReactElement } from 'react';
import { useSignedIn } from '../../auth/use-auth.js';
import { nextFrame } from '../../clock/browser-clock.js';
import type { SessionView } from '../../model/session.js';
import { extendRefusal, revokeRefusal } from './session-refusals.js';

export interface SessionActionsProps {
  readonly session: SessionView;
  readonly onDetails: () => void;
  readonly onExtend: () => void;
  readonly onRevoke: () => void;
}

/** One picture instead of two, of which one is hidden. */
const ICON = <EllipsisVIcon set="default" />;

const guarded = (refusal: string | undefined): object =>
  refusal === undefined ? {} : { isAriaDisabled: true, tooltipProps: { content: refusal } };

/**
 * What can be done to one session. What cannot is there too, and says why. A long list has many of these, and a menu
 * costs more than the rest of its row: there is only its button, as markup, until it is opened for the first time.
 */
export function SessionActions(props: SessionActionsProps): ReactElement {
  const { session } = props;
  const [isNeeded, setNeeded] = useState(false);
  const label = `Actions for ${session.userName} on ${session.deviceName || session.resourceName}`;
  if (isNeeded) return <ActionsMenu {...props} label={label} />;
  return (
    <button
      type="button"
      className="pf-v6-c-menu-toggle pf-m-plain"
      aria-label={label}
      aria-expanded="false"
      onClick={() => setNeeded(true)}
    >
      <span className="pf-v6-c-menu-toggle__icon">{ICON}</span>
    </button>
  );
}

function ActionsMenu(props: SessionActionsProps & { readonly label: string }): ReactElement {
  const { session, onDetails, onExtend, onRevoke, label } = props;
  const { user } = useSignedIn();
  const [isOpen, setOpen] = useState(false);
  // Not before the click that asked for it is over, or the menu would take it for a click outside.
  useEffect(() => nextFrame(() => setOpen(true)), []);
  return (
    <Dropdown
      shouldFocusFirstItemOnOpen
      shouldFocusToggleOnSelect
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          isExpanded={isOpen}
          aria-label={label}
          icon={ICON}
          onClick={() => setOpen(!isOpen)}
        />
      )}
    >
      <DropdownList>
        <DropdownItem key="details" onClick={onDetails}>
          Details
        </DropdownItem>
        <DropdownItem key="extend" onClick={onExtend} {...guarded(extendRefusal(user.role, user.id, session))}>
          Extend…
        </DropdownItem>
        <DropdownItem key="revoke" isDanger onClick={onRevoke} {...guarded(revokeRefusal(user.role, session))}>
          Revoke…
        </DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
