import type { ServerUnaryCall, ServerWritableStream, ServerDuplexStream } from '@grpc/grpc-js';
import { CurfewError } from '@curfew/shared';
import { createHash, X509Certificate } from 'node:crypto';
import type { Devices } from '../devices/devices.js';
import type { DeviceRow } from '../devices/find-device.js';
import type { Caller } from '../users/caller.js';
import type { ApiTokens } from '../users/api-tokens.js';
import { roleContains } from '../users/role.js';
import { METHOD_ACCESS } from './method-access.js';

export type AnyCall =
  ServerUnaryCall<Buffer, unknown> | ServerWritableStream<Buffer, unknown> | ServerDuplexStream<Buffer, unknown>;

/** Who calls. */
export type Identity =
  | { readonly kind: 'open' }
  | { readonly kind: 'device'; readonly device: DeviceRow }
  | { readonly kind: 'user'; readonly caller: Caller };

/** Finds out who calls, and whether they may. Errors: NOT_SIGNED_IN, DEVICE_CERTIFICATE_REQUIRED, DEVICE_UNKNOWN, DEVICE_REMOVED, METHOD_NOT_ALLOWED. */
export async function authenticate(
  path: string,
  call: AnyCall,
  devices: Devices,
  tokens: ApiTokens,
): Promise<Identity> {
  const access = METHOD_ACCESS.get(path);
  if (access === undefined)
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'anybody', method: path, needed: 'nothing that exists' });
  if (access === 'open') return { kind: 'open' };
  if (access === 'device') return { kind: 'device', device: await devices.byKeyHash(keyHashOfPeer(call)) };
  const caller = await tokens.authenticate(bearerToken(call));
  if (!roleContains(caller.role, access))
    throw new CurfewError('METHOD_NOT_ALLOWED', { role: caller.role, method: path, needed: access });
  return { kind: 'user', caller };
}

/** The hash of the key in a client certificate that the CA has signed and that has not run out. */
function keyHashOfPeer(call: AnyCall): string {
  // Set by grpc-js only when the chain was verified against the CA.
  const raw = call.getAuthContext().sslPeerCertificate?.raw;
  if (raw === undefined) throw new CurfewError('DEVICE_CERTIFICATE_REQUIRED');
  const spki = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}

function bearerToken(call: AnyCall): string {
  const [, token] = /^Bearer (\S{1,200})$/.exec(String(call.metadata.get('authorization')[0] ?? '')) ?? [];
  if (token === undefined) throw new CurfewError('NOT_SIGNED_IN');
  return token;
}
