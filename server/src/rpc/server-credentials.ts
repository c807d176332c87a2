import { ServerCredentials } from '@grpc/grpc-js';
import type { SecureContextOptions } from 'node:tls';

/** TLS 1.3; a client certificate is asked for, not demanded: devices have one, operators bring a token. */
export class RotatingServerCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    super({ requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' }, context);
  }

  /** New handshakes use the new certificate; links that are up live on. */
  rotate(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
