import { CurfewError, MINUTE } from '@curfew/shared';
import type { Ledger } from '../ledger/ledger.js';
import type { SignInParts } from '../sign-in/sign-in-parts.js';
import type { ApiTokens } from './api-tokens.js';
import type { Users } from './users.js';

const YEAR_MS = 365 * 24 * 60 * MINUTE;

/** Makes the owner at the very first start, with a token of a year and a password that must be changed. */
export async function firstOwner(
  { users, tokens, ledger }: { readonly users: Users; readonly tokens: ApiTokens; readonly ledger: Ledger },
  { passwords }: SignInParts,
): Promise<{ readonly token: string; readonly password: string } | undefined> {
  const someone = await ledger.read((db) =>
    db.selectFrom('app_user').select('id').where('role', '=', 'owner').executeTakeFirst(),
  );
  if (someone !== undefined) return undefined;
  const wish = { name: 'owner', displayName: 'First owner', role: 'owner' } as const;
  const owner = await users.create('server', wish).catch((error: unknown) => {
    // Another server on the same new ledger was quicker.
    if (error instanceof CurfewError && error.code === 'USER_NAME_TAKEN') return undefined;
    throw error;
  });
  if (owner === undefined) return undefined;
  // The password first: giving one stops what tokens there are.
  const { password } = await passwords.reset('server', owner.id);
  const input = { user: owner.id, label: 'first start', scope: undefined, ttlMs: YEAR_MS };
  const { secret: token } = await tokens.create({ actor: { kind: 'server' } }, input);
  return { token, password };
}
