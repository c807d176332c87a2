import { Notice } from '../../ui/notice.js';
import { Checkbox } from '@patternfly/react-core';
import { useState, type ReactElement } from 'react';
import { fieldError } from '../../api/api-error.js';
import type { Role } from '../../api/method-roles.js';
import { useApiMutation } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useSignedIn } from '../../auth/use-auth.js';
import type { UserJson } from '../../gen/api.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import { namesIn, roleFromProto, rolesToGive, roleToProto } from '../../model/user-roles.js';

export interface UserDialogProps {
  readonly user: UserJson;
  readonly onClose: () => void;
}

/** Kept answers that a changed user makes old. */
export const USER_REFRESHES = ['UserService/GetUser', 'UserService/ListUsers', 'SessionService/ListSessions'] as const;

interface Changes {
  readonly displayName: string;
  readonly role: Role;
  readonly groups: string;
  readonly email: string;
  readonly disabled: boolean;
}

const FIELDS = ['displayName', 'role', 'groups', 'email'];

/** Changes a user: role, groups, name to show, mail, and whether they are let in at all. */
export function EditUserDialog({ user, onClose }: UserDialogProps): ReactElement {
  const { toasts } = useServices();
  const [changes, setChanges] = useState<Changes>({
    displayName: user.displayName ?? '',
    role: roleFromProto(user.role),
    groups: (user.groups ?? []).join(', '),
    email: user.email ?? '',
    disabled: user.disabled ?? false,
  });
  const update = useApiMutation('UserService/UpdateUser', {
    quiet: true,
    refreshes: USER_REFRESHES,
    onDone: () => {
      toasts.show('success', 'Changed');
      onClose();
    },
  });
  const at = (field: string): string | undefined => fieldError(update.error, field);
  const isAtField = FIELDS.some((field) => at(field) !== undefined);
  return (
    <FormDialog
      title={`Change ${user.name ?? ''}`}
      submitLabel="Save"
      isDanger={changes.disabled && user.disabled !== true}
      errorTitle="Nothing was changed"
      error={isAtField ? null : update.error}
      isBusy={update.isPending}
      onClose={onClose}
      onSubmit={() =>
        update.mutate({
          user: user.id ?? '',
          displayName: changes.displayName.trim(),
          role: roleToProto(changes.role),
          groups: { names: namesIn(changes.groups) },
          email: changes.email.trim(),
          disabled: changes.disabled,
        })
      }
    >
      <UserFields user={user} changes={changes} onChange={(more) => setChanges({ ...changes, ...more })} at={at} />
    </FormDialog>
  );
}

interface UserFieldsProps {
  readonly user: UserJson;
  readonly changes: Changes;
  readonly onChange: (more: Partial<Changes>) => void;
  /** What was refused at a field. */
  readonly at: (field: string) => string | undefined;
}

function UserFields({ user, changes, onChange, at }: UserFieldsProps): ReactElement {
  const { user: me } = useSignedIn();
  const isSelf = user.id === me.id;
  const warns = isSelf && changes.role !== me.role;
  return (
    <>
      <TextField
        id="edit-display-name"
        label="Name to show"
        maxLength={200}
        value={changes.displayName}
        onChange={(displayName) => onChange({ displayName })}
        problem={at('displayName')}
      />
      <ChoiceField
        id="edit-role"
        label="Role"
        value={changes.role}
        choices={rolesToGive(me.role)}
        onChange={(role) => onChange({ role })}
        problem={at('role')}
        hint={warns ? 'This is you: you lose what the new role may not do, at once.' : undefined}
      />
      <TextField
        id="edit-groups"
        label="Groups"
        value={changes.groups}
        onChange={(groups) => onChange({ groups })}
        problem={at('groups')}
        hint="Separated by commas. Policies name them."
      />
      <TextField
        id="edit-email"
        label="Mail address"
        type="email"
        value={changes.email}
        onChange={(email) => onChange({ email })}
        problem={at('email')}
      />
      <Checkbox
        id="edit-disabled"
        label="Disabled"
        description="Cannot sign in, ask or start anything."
        isChecked={changes.disabled}
        onChange={(_event, disabled) => onChange({ disabled })}
      />
      {changes.disabled && user.disabled !== true ? (
        <Notice variant="warning" isLiveRegion title={isSelf ? 'You lock yourself out' : 'Every session ends at once'}>
          {isSelf
            ? 'You are signed out at once, and only another administrator can let you in again.'
            : 'Sign-ins, API tokens and sessions on every device end now.'}
        </Notice>
      ) : null}
    </>
  );
}
