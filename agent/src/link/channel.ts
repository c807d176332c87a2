import {
  credentials,
  Metadata,
  status,
  type ChannelCredentials,
  type ChannelOptions,
  type ServiceError,
} from '@grpc/grpc-js';
import { CurfewError, isErrorCode, type ErrorCode } from '@curfew/shared';
import type { DeviceIdentity } from '../ports/device-identity.js';

/**
 * The server's certificate always carries this name; the CA behind it is the server's own and pinned, so whatever
 * name or address the server is reached by proves nothing and is not checked.
 */
export const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  // Finds a half-open link within 8 s.
  'grpc.keepalive_time_ms': 4_000,
  'grpc.keepalive_timeout_ms': 4_000,
  'grpc.enable_http_proxy': 0,
  // A channel of its own for each link: a renewed certificate is used from the next link on.
  'grpc.use_local_subchannel_pool': 1,
};

export const deviceCredentials = (identity: DeviceIdentity): ChannelCredentials =>
  credentials.createSsl(
    Buffer.from(identity.caCertificate),
    Buffer.from(identity.privateKey),
    Buffer.from(identity.certificate),
  );

/** Turns what a call failed with into our error: the server's own code where it sent one. */
export function fromServiceError(error: ServiceError, address: string): CurfewError {
  const code = error.metadata instanceof Metadata ? String(error.metadata.get('curfew-error-code')[0] ?? '') : '';
  if (isErrorCode(code)) return new RemoteError(code, error.details);
  return new CurfewError(
    'SERVER_UNREACHABLE',
    { address, detail: `${status[error.code]} ${error.details}` },
    { cause: error },
  );
}

/** An error that the server has worded. */
class RemoteError extends CurfewError {
  constructor(code: ErrorCode, text: string) {
    super(code);
    this.message = text;
  }
}
