import { CertificateAuthority, SecretFiles } from '@curfew/server';
import { DAY, SystemClock, systemRandom } from '@curfew/shared';
import { join } from 'node:path';

/** What a receiver on this machine shows, and the file with the CA that vouches for it. */
export interface ReceiverCertificate {
  readonly key: string;
  readonly cert: string;
  readonly caFile: string;
}

/** Makes a CA below a folder, and a certificate of it for this machine, and for another address of it if one is given. */
export async function receiverCertificate(folder: string, address?: string): Promise<ReceiverCertificate> {
  const files = new SecretFiles(join(folder, 'receivers'));
  const ca = await CertificateAuthority.open(files, new SystemClock(), systemRandom);
  const { pem, keyPem } = await ca.issueServer(
    ['localhost', '127.0.0.1', ...(address === undefined ? [] : [address])],
    DAY,
  );
  return { key: keyPem, cert: pem + ca.certificate, caFile: join(files.folder, 'ca.crt') };
}
