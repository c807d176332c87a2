import { systemRandom, SystemClock, DAY } from '@curfew/shared';
import { Server } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { CertificateAuthority } from '../pki/certificate-authority.js';
import { SecretFiles } from '../pki/secret-files.js';
import { RotatingServerCredentials } from './server-credentials.js';

describe("the server's TLS", () => {
  let folder: string;
  let ca: CertificateAuthority;
  let server: Server;
  let credentials: RotatingServerCredentials;
  let port: number;

  const context = async () => {
    const issued = await ca.issueServer(['curfew-server'], DAY);
    return { ca: ca.certificate, cert: issued.pem, key: issued.keyPem };
  };
  const connect = async (more: tls.ConnectionOptions): Promise<tls.TLSSocket> => {
    const socket = tls.connect({
      port,
      ca: ca.certificate,
      servername: 'curfew-server',
      ALPNProtocols: ['h2'],
      ...more,
    });
    await once(socket, 'secureConnect');
    return socket;
  };

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-tls-'));
    ca = await CertificateAuthority.open(new SecretFiles(folder), new SystemClock(), systemRandom);
    credentials = new RotatingServerCredentials(await context());
    server = new Server();
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  });
  after(() => {
    server.forceShutdown();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const when of ['at the start', 'after a rotation'])
    it(`takes no TLS 1.2 and resumes no session ${when}`, async () => {
      if (when === 'after a rotation') credentials.rotate(await context());
      await assert.rejects(connect({ maxVersion: 'TLSv1.2' }), { code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
      const first = await connect({});
      assert.equal(first.getProtocol(), 'TLSv1.3');
      // The tickets come after the handshake, before anything else that is sent.
      const [session] = (await once(first, 'session')) as [Buffer];
      first.destroy();
      const second = await connect({ session });
      assert.equal(second.isSessionReused(), false);
      second.destroy();
    });
});
