import { CurfewError } from '@curfew/shared';
import { createHash, X509Certificate } from 'node:crypto';
import type { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { SignIns } from '../sign-in/sign-ins.js';
import type { ApiTokens } from '../users/api-tokens.js';
import type { Caller } from '../users/caller.js';
import { roleContains } from '../users/role.js';
import type { Credentials } from './credentials.js';
import { METHOD_ACCESS } from './method-access.js';

/** Who calls. */
export type Identity =
  | { readonly kind: 'open' }
  | { readonly kind: 'device'; readonly device: DeviceRow }
  | { readonly kind: 'user'; readonly caller: Caller };

/** Where callers are known from. */
export interface KnownCallers {
  readonly devices: Devices;
  readonly tokens: ApiTokens;
  readonly signIns: SignIns;
}

const RENEW = '/curfew.agent.v1.EnrollmentService/Renew';
/** All that somebody may do whose password must be changed. */
const WITH_A_PASSWORD_TO_CHANGE = '/curfew.admin.v1.SignInService/ChangePassword';

/**
 * Finds out who calls, and whether they may: the one place for every door. `again` is for a call that goes on and must
 * not count as use. Errors: NOT_SIGNED_IN, PASSWORD_CHANGE_REQUIRED, DEVICE_CERTIFICATE_REQUIRED, DEVICE_UNKNOWN,
 * DEVICE_REMOVED, DEVICE_KEY_REPLACED, METHOD_NOT_ALLOWED.
 */
export async function authenticate(
  path: string,
  credentials: Credentials,
  known: KnownCallers,
  again = false,
): Promise<Identity> {
  const access = METHOD_ACCESS.get(path);
  if (access === undefined)
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'anybody', method: path, needed: 'nothing that exists' });
  // A renewal needs no certificate. Who has one is known by it: what others do from the same address does not count against it.
  const isKnown = access === 'device' || (path === RENEW && credentials.certificate?.() !== undefined);
  if (isKnown) return { kind: 'device', device: await known.devices.byKeyHash(keyHash(credentials)) };
  if (access === 'open') return { kind: 'open' };
  const caller = await callerBehind(credentials, known, again);
  if (caller.mustChangePassword === true && path !== WITH_A_PASSWORD_TO_CHANGE)
    throw new CurfewError('PASSWORD_CHANGE_REQUIRED');
  if (!roleContains(caller.role, access))
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: caller.role, method: path, needed: access });
  return { kind: 'user', caller };
}

async function callerBehind(
  { token, signIn }: Credentials,
  { tokens, signIns }: KnownCallers,
  again: boolean,
): Promise<Caller> {
  if (token !== undefined) return tokens.authenticate(token);
  if (signIn !== undefined) return signIns.authenticate(signIn, again);
  throw new CurfewError('NOT_SIGNED_IN');
}

/** The hash of the key in a client certificate that the CA has signed and that has not run out. */
function keyHash({ certificate }: Credentials): string {
  const raw = certificate?.();
  if (raw === undefined) throw new CurfewError('DEVICE_CERTIFICATE_REQUIRED');
  const spki = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
