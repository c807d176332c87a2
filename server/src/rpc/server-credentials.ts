import { ServerCredentials } from '@grpc/grpc-js';
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

/** What a certificate and its key are used with, at the start and after each rotation: TLS 1.3, and no session that is resumed. */
export const hardened = (context: SecureContextOptions): SecureContextOptions => ({
  ...context,
  minVersion: 'TLSv1.3',
  // It would skip the look at the certificate: whoever was removed meanwhile would come back.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** TLS 1.3; a client certificate is asked for, not demanded: devices have one, operators bring a token. */
export class RotatingServerCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions) {
    super({ requestCert: true, rejectUnauthorized: false }, hardened(context));
  }

  /** New handshakes use the new certificate; links that are up live on. */
  rotate(context: SecureContextOptions): void {
    this.updateSecureContextOptions(hardened(context));
  }

  _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}
