import { Divider, Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { UserIcon } from '@patternfly/react-icons/dist/esm/icons/user-icon.js';
import { useNavigate } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { errorSentence, failureTitle } from '../api/api-error.js';
import { useSignOut } from '../auth/auth-actions.js';
import { useSignedIn } from '../auth/use-auth.js';
import { SafeText } from '../ui/safe-text.js';
import { useServices } from './services.js';

/** Who is signed in, and the way out. */
export function UserMenu(): ReactElement {
  const { user } = useSignedIn();
  const { toasts } = useServices();
  const [isOpen, setOpen] = useState(false);
  const signOut = useSignOut();
  const navigate = useNavigate();
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
          variant="plainText"
          icon={<UserIcon />}
          isExpanded={isOpen}
          aria-label={`Signed in as ${user.name}, ${user.role}`}
          onClick={() => setOpen(!isOpen)}
        >
          <span className="curfew-wide-only">
            <SafeText text={user.displayName} />
          </span>
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem key="who" isDisabled description={`Role: ${user.role}`}>
          <SafeText text={user.name} />
        </DropdownItem>
        <Divider key="line" component="li" />
        <DropdownItem key="settings" onClick={() => void navigate({ to: '/settings' })}>
          Settings
        </DropdownItem>
        <DropdownItem
          key="out"
          onClick={() => {
            signOut().catch((error: unknown) =>
              toasts.show('danger', failureTitle(error, 'Not signed out'), errorSentence(error)),
            );
          }}
        >
          Sign out
        </DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
