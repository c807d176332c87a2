import { CurfewError, DAY } from '@curfew/shared';
import type { LedgerReader } from '../ledger/ledger.js';
import type { Passwords } from '../sign-in/passwords.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { ApiTokens } from './api-tokens.js';
import { insertUser } from './users.js';

const TOKEN_LIFE_MS = 365 * DAY;
const SERVER = { kind: 'server' } as const;

/** What the first owner gets in with. */
export interface FirstOwner {
  readonly token: string;
  readonly password: string;
}

/**
 * Makes the owner at the very first start, with a token of a year and a password that must be changed; undefined when
 * there is one. `tell` is called before they are in the ledger: who is killed in between begins anew at the next start,
 * and no secret that counts is lost. Errors: those of `tell`, and then there is no owner.
 */
export async function firstOwner(
  { context, tokens }: { readonly context: UseCaseContext; readonly tokens: ApiTokens },
  { passwords }: { readonly passwords: Passwords },
  tell: (first: FirstOwner) => void = () => undefined,
): Promise<FirstOwner | undefined> {
  const { ledger } = context;
  if (await ledger.read(hasOwner)) return undefined;
  const made = await passwords.oneTime();
  const wish = { name: 'owner', displayName: 'First owner', role: 'owner' } as const;
  return ledger
    .write(async (tx) => {
      // Another server on the same new ledger may have been quicker.
      if (await hasOwner(tx.db)) return undefined;
      const owner = await insertUser(tx, context, SERVER, wish);
      await passwords.giveIn(tx, 'server', owner, made);
      const input = { user: owner.id, label: 'first start', scope: undefined, ttlMs: TOKEN_LIFE_MS };
      const { secret: token } = await tokens.createIn(tx, { actor: SERVER }, input);
      const first = { token, password: made.password };
      tell(first);
      return first;
    })
    .catch((error: unknown) => {
      if (error instanceof CurfewError && error.code === 'USER_NAME_TAKEN') return undefined;
      throw error;
    });
}

async function hasOwner(db: LedgerReader): Promise<boolean> {
  const owner = await db.selectFrom('app_user').select('id').where('role', '=', 'owner').executeTakeFirst();
  return owner !== undefined;
}
