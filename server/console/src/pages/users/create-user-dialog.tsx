import type { InstantMs } from '@curfew/shared/browser';
import { Button, Content } from '@patternfly/react-core';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactElement } from 'react';
import { ApiError, errorSentence, fieldError } from '../../api/api-error.js';
import type { Role } from '../../api/method-roles.js';
import { useRefresh } from '../../api/use-api.js';
import { useServices } from '../../app/services.js';
import { useSignedIn } from '../../auth/use-auth.js';
import { FormDialog, NoticeDialog } from '../../ui/form-dialog.js';
import { SafeText } from '../../ui/safe-text.js';
import { SecretOnce, WorksUntil } from '../../ui/secret-once.js';
import { ChoiceField, TextField } from '../../ui/text-field.js';
import { timeFromProto } from '../../model/proto-json.js';
import { namesIn, rolesToGive, roleToProto } from '../../model/user-roles.js';

interface NewUser {
  readonly name: string;
  readonly displayName: string;
  readonly role: Role;
  readonly email: string;
  readonly groups: string;
}

interface Made {
  readonly id: string;
  readonly name: string;
  readonly password: string;
  /** When the password stops working; undefined when it does not. */
  readonly until: InstantMs | undefined;
  /** What did not work after the user was made. */
  readonly problem: string | undefined;
}

/** Makes a user step by step: what the API takes apart is one form here. The user stays when a later step fails. */
function useCreate(onMade: (made: Made) => void) {
  const { api } = useServices();
  const refresh = useRefresh();
  return useMutation({
    mutationFn: async (wish: NewUser): Promise<Made> => {
      const { user } = await api.call('UserService/CreateUser', {
        name: wish.name.trim(),
        displayName: wish.displayName.trim(),
        role: roleToProto(wish.role),
      });
      const id = user?.id ?? '';
      try {
        const names = namesIn(wish.groups);
        if (wish.email.trim() !== '' || names.length > 0)
          await api.call('UserService/UpdateUser', { user: id, email: wish.email.trim(), groups: { names } });
        const { password = '', expireTime } = await api.call('SignInService/ResetPassword', { user: id });
        return { id, name: user?.name ?? '', password, until: timeFromProto(expireTime), problem: undefined };
      } catch (error) {
        return { id, name: user?.name ?? '', password: '', until: undefined, problem: errorSentence(error) };
      }
    },
    onSuccess: onMade,
    onSettled: () => refresh(['UserService/ListUsers']),
  });
}

const nameProblem = (error: Error | null): string | undefined =>
  fieldError(error, 'name') ??
  (error instanceof ApiError && error.code === 'USER_NAME_TAKEN' ? errorSentence(error) : undefined);

/** Makes a user, and shows the one-time password. */
export function CreateUserDialog({ onClose }: { readonly onClose: () => void }): ReactElement {
  const { user: me } = useSignedIn();
  const [wish, setWish] = useState<NewUser>({ name: '', displayName: '', role: 'user', email: '', groups: '' });
  const [made, setMade] = useState<Made>();
  const create = useCreate(setMade);
  const change = (more: Partial<NewUser>): void => setWish({ ...wish, ...more });
  if (made !== undefined) return <MadeDialog made={made} onClose={onClose} />;
  const taken = nameProblem(create.error);
  return (
    <FormDialog
      title="Create a user"
      submitLabel="Create"
      errorTitle="No user was made"
      error={taken === undefined ? create.error : null}
      isReady={wish.name.trim() !== ''}
      isBusy={create.isPending}
      focus="user-name"
      onClose={onClose}
      onSubmit={() => create.mutate(wish)}
    >
      <TextField
        id="user-name"
        label="User name"
        isRequired
        maxLength={64}
        value={wish.name}
        onChange={(name) => change({ name })}
        problem={taken}
        hint="Letters, digits, dots, underscores, at signs and hyphens. It cannot be changed."
      />
      <TextField
        id="user-display-name"
        label="Name to show"
        maxLength={200}
        value={wish.displayName}
        onChange={(displayName) => change({ displayName })}
      />
      <ChoiceField
        id="user-role"
        label="Role"
        value={wish.role}
        choices={rolesToGive(me.role)}
        onChange={(role) => change({ role })}
        problem={fieldError(create.error, 'role')}
      />
      <TextField
        id="user-email"
        label="Mail address"
        type="email"
        value={wish.email}
        onChange={(email) => change({ email })}
      />
      <TextField
        id="user-groups"
        label="Groups"
        value={wish.groups}
        onChange={(groups) => change({ groups })}
        hint="Separated by commas. Policies name them."
      />
    </FormDialog>
  );
}

function MadeDialog({ made, onClose }: { readonly made: Made; readonly onClose: () => void }): ReactElement {
  return (
    <NoticeDialog title="The user was made" onClose={onClose}>
      <div className="curfew-stack">
        {made.password === '' ? (
          <Content component="p">
            There is no password of <SafeText text={made.name} /> to hand over. {made.problem} Reset the password on the
            user’s page.
          </Content>
        ) : (
          <SecretOnce label={`One-time password of ${made.name}`} text={made.password}>
            The password of <SafeText text={made.name} /> for the first sign-in. It has to be changed then.
            <WorksUntil at={made.until} />
          </SecretOnce>
        )}
        <div>
          <Button
            variant="link"
            isInline
            component={(props: object) => <Link to="/users/$userId" params={{ userId: made.id }} {...props} />}
          >
            Open the user’s page
          </Button>
        </div>
      </div>
    </NoticeDialog>
  );
}
