import { roleIsAtLeast } from '../src/api/method-roles.js';
import type { Caller } from './caller.js';
import type { CallHandlers } from './handlers.js';
import { find } from './lookup.js';
import { fieldInvalid, refuse } from './refusal.js';
import { notAbove, userOf } from './user-methods.js';
import type { Credentials, World } from './world.js';

/** The code that works while codes are being turned on, and afterwards. */
export const FAKE_CODE = '123456';

const credentialsOf = (world: World, userId: string | undefined): Credentials => {
  const found = world.credentials.get(userId ?? '');
  if (found === undefined) throw refuse('PASSWORD_WRONG');
  return found;
};

/** Ends the sign-ins of a user, but for one. */
function endSignIns(world: World, userId: string | undefined, butFor: string): void {
  for (const [id, signIn] of world.signIns) if (signIn.userId === userId && id !== butFor) world.signIns.delete(id);
}

function markTotp(world: World, caller: Caller, userId: string | undefined, code: string): void {
  const user = world.users.get(userId ?? '');
  const credentials = credentialsOf(world, userId);
  credentials.code = code;
  if (user !== undefined) world.users.set(user.id ?? '', { ...user, totpEnabled: code !== '' });
  world.record(code === '' ? 'totp.removed' : 'totp.enabled', `user:${caller.user.name ?? ''}`, userId ?? '');
}

/** How people sign in. */
export const signInMethods: Pick<
  CallHandlers,
  | 'SignInService/ListSignIns'
  | 'SignInService/EndSignIn'
  | 'SignInService/ChangePassword'
  | 'SignInService/ResetPassword'
  | 'SignInService/BeginTotp'
  | 'SignInService/ConfirmTotp'
  | 'SignInService/RemoveTotp'
> = {
  'SignInService/ListSignIns': (world, caller, { user: given }) => {
    const user = given === undefined || given === '' ? caller.user : userOf(world, given);
    if (user.id !== caller.user.id && !roleIsAtLeast(caller.role, 'admin'))
      throw refuse('USER_NOT_FOUND', { given: given ?? '' });
    return {
      signIns: [...world.signIns.values()]
        .filter(({ userId }) => userId === user.id)
        .map(({ userId: _userId, ...signIn }) => ({ ...signIn, current: signIn.id === caller.signInId }))
        .reverse(),
    };
  },
  'SignInService/EndSignIn': (world, caller, { signInId }) => {
    const mine = [...world.signIns.values()].filter(
      ({ userId }) => userId === caller.user.id || roleIsAtLeast(caller.role, 'admin'),
    );
    world.signIns.delete(find(mine, 'signIn', signInId, 'SIGN_IN_NOT_FOUND').id ?? '');
    return {};
  },
  'SignInService/ChangePassword': (world, caller, { currentPassword = '', newPassword = '' }) => {
    if (newPassword.length < 12) throw fieldInvalid('new_password', 'must be at least 12 characters');
    const credentials = credentialsOf(world, caller.user.id);
    if (credentials.password !== currentPassword) throw refuse('PASSWORD_WRONG');
    if (/^(.)\1+$/.test(newPassword))
      throw refuse('PASSWORD_TOO_WEAK', { field: 'new_password', problem: 'is too easy to guess' });
    credentials.password = newPassword;
    credentials.mustChange = false;
    endSignIns(world, caller.user.id, caller.signInId);
    world.record('password.changed', `user:${caller.user.name ?? ''}`, caller.user.id ?? '');
    return {};
  },
  'SignInService/ResetPassword': (world, caller, { user: given }) => {
    const user = userOf(world, given);
    notAbove(caller, user);
    if (user.id === caller.user.id) throw refuse('PASSWORD_NOT_RESET');
    const password = 'amber-canyon-ferry-lantern';
    const before = world.credentials.get(user.id ?? '');
    world.credentials.set(user.id ?? '', { password, mustChange: true, code: before?.code ?? '' });
    endSignIns(world, user.id, '');
    for (const [id, token] of world.apiTokens)
      if (token.userId === user.id) world.apiTokens.set(id, { revokeTime: world.time(), ...token });
    return { password, expireTime: world.time(7 * 86_400_000) };
  },
  'SignInService/BeginTotp': (_world, caller) => {
    if (caller.user.hasPassword !== true) throw refuse('PASSWORD_NOT_SET');
    const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    return { secret, uri: `otpauth://totp/Curfew:${caller.user.name ?? ''}?secret=${secret}&issuer=Curfew` };
  },
  'SignInService/ConfirmTotp': (world, caller, { code }) => {
    if (!/^[0-9]{6}$/.test(code ?? '')) throw fieldInvalid('code', 'must be 6 digits');
    if (code !== FAKE_CODE) throw refuse('TOTP_CODE_WRONG');
    markTotp(world, caller, caller.user.id, FAKE_CODE);
    return { recoveryCodes: Array.from({ length: 8 }, (_one, index) => `fake-${index}2345-6789${index}`) };
  },
  'SignInService/RemoveTotp': (world, caller, { password, user: given }) => {
    const user = given === undefined || given === '' ? caller.user : userOf(world, given);
    if (user.id === caller.user.id) {
      if (credentialsOf(world, user.id).password !== password) throw refuse('PASSWORD_WRONG');
    } else {
      if (!roleIsAtLeast(caller.role, 'admin')) throw refuse('ROLE_TOO_HIGH', { role: caller.role });
      notAbove(caller, user);
    }
    markTotp(world, caller, user.id, '');
    return {};
  },
};
