import type { ContractCase } from './contract-case.js';

/** Signing in. */
export const SIGN_IN_CASES: readonly ContractCase[] = [
  {
    name: 'a one-time password',
    as: 'alice',
    method: 'SignInService/ResetPassword',
    request: { user: 'gina' },
    has: ['password'],
  },
  {
    name: "a one-time password, one's own",
    as: 'alice',
    method: 'SignInService/ResetPassword',
    request: { user: 'alice' },
    refused: 'PASSWORD_NOT_RESET',
  },
  { name: 'my sign-ins', as: 'carol', method: 'SignInService/ListSignIns', has: ['signIns.0.id', 'signIns.0.current'] },
  {
    name: 'a sign-in that is none',
    as: 'carol',
    method: 'SignInService/EndSignIn',
    request: { signInId: 'sin-00000000000000000000' },
    refused: 'SIGN_IN_NOT_FOUND',
  },
  {
    name: 'a wrong password',
    as: 'carol',
    method: 'SignInService/ChangePassword',
    request: { currentPassword: 'wrong wrong wrong', newPassword: 'another long enough one' },
    refused: 'PASSWORD_WRONG',
  },
  {
    name: 'a short password',
    as: 'carol',
    method: 'SignInService/ChangePassword',
    request: { currentPassword: 'x', newPassword: 'short' },
    refused: 'FIELD_INVALID',
  },
  { name: 'a secret for codes', as: 'carol', method: 'SignInService/BeginTotp', has: ['uri', 'secret'] },
  {
    name: 'a code that is none',
    as: 'carol',
    method: 'SignInService/ConfirmTotp',
    request: { code: '12345' },
    refused: 'FIELD_INVALID',
  },
  {
    name: 'no more codes, with a wrong password',
    as: 'carol',
    method: 'SignInService/RemoveTotp',
    request: { password: 'wrong wrong wrong' },
    refused: 'PASSWORD_WRONG',
  },
  {
    name: "no more codes, another's, by a user",
    as: 'carol',
    method: 'SignInService/RemoveTotp',
    request: { user: 'erin' },
    refused: 'ROLE_TOO_HIGH',
  },
  {
    name: "no more codes, an owner's, by an admin",
    as: 'alice',
    method: 'SignInService/RemoveTotp',
    request: { user: 'owner' },
    refused: 'ROLE_TOO_HIGH',
  },
  { name: "no more codes, a user's", as: 'alice', method: 'SignInService/RemoveTotp', request: { user: 'gina' } },
];
