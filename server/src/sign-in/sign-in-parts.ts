import type { Logger } from '@curfew/shared';
import type { SignInConfig } from '../config/http-config.js';
import type { OidcConfig } from '../config/oidc-config.js';
import type { SecretStore } from '../pki/secret-store.js';
import { SecretBox } from '../secrets/secret-box.js';
import type { UseCaseContext } from '../use-case-context.js';
import type { ApiTokens } from '../users/api-tokens.js';
import { DeviceAuthorizations } from './device-authorizations.js';
import { LocalSignIn } from './local-sign-in.js';
import { OidcProvider } from './oidc/oidc-provider.js';
import { OidcSignIn } from './oidc/oidc-sign-in.js';
import { OidcUsers, type SetGroups } from './oidc/oidc-users.js';
import { PasswordHasher } from './password-hasher.js';
import { Passwords } from './passwords.js';
import { SignInThrottle } from './sign-in-throttle.js';
import { SignIns } from './sign-ins.js';
import { TotpCodes } from './totp-codes.js';

export type SignInParts = Awaited<ReturnType<typeof buildSignIn>>;

export interface SignInNeeds {
  readonly context: UseCaseContext;
  readonly tokens: ApiTokens;
  readonly limits: SignInConfig;
  readonly oidcConfig: OidcConfig | undefined;
  readonly setGroups: SetGroups;
  readonly files: SecretStore;
  readonly logger: Logger;
}

/** Everything about signing in, on one ledger. */
export async function buildSignIn(needs: SignInNeeds) {
  const { context, tokens, limits, oidcConfig: config, files, logger } = needs;
  const { random, clock } = context;
  const secrets = await SecretBox.open(files, random);
  const hasher = new PasswordHasher(random);
  const throttle = new SignInThrottle(clock);
  const signIns = new SignIns(context, limits);
  const passwords = new Passwords(context, hasher, throttle, limits.oneTimePasswordMs);
  const codes = new TotpCodes(context, secrets, passwords);
  const local = new LocalSignIn({ context, hasher, throttle, signIns, passwords, codes });
  const tools = new DeviceAuthorizations(context, tokens, limits.toolMs);
  if (config === undefined) return { secrets, signIns, passwords, codes, local, tools, oidc: undefined };
  const provider = new OidcProvider(config, logger);
  const users = new OidcUsers(context, config, needs.setGroups);
  const signIn = new OidcSignIn({ context, config, provider, users, signIns, secrets, logger });
  return { secrets, signIns, passwords, codes, local, tools, oidc: { provider, signIn, label: config.label } };
}
