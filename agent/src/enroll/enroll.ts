import { EnrollmentServiceClient, type DeviceFacts } from '@curfew/proto';
import { CurfewError, parseLeaseKeySet, type Clock } from '@curfew/shared';
import { credentials, Metadata } from '@grpc/grpc-js';
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { CHANNEL_OPTIONS, fromServiceError } from '../link/channel.js';
import type { DeviceIdentity } from '../ports/device-identity.js';
import { makeCsr } from './csr.js';

const TIMEOUT_MS = 10_000;

/** Joins a server: checks that it is the one the token names, makes the key, gets the identity. */
export async function enroll(input: {
  readonly server: string;
  readonly token: string;
  readonly facts: DeviceFacts;
  readonly clock: Clock;
}): Promise<DeviceIdentity> {
  const [, , fingerprint = ''] = input.token.split('.');
  const caCertificate = await fetchCa(input.server, fingerprint);
  const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
  const client = new EnrollmentServiceClient(
    input.server,
    credentials.createSsl(Buffer.from(caCertificate)),
    CHANNEL_OPTIONS,
  );
  try {
    const csr = await makeCsr(privateKey);
    const answer = await new Promise<{
      deviceId: string;
      deviceName: string;
      certificate: string;
      leaseKeySet: string;
      auditKey: string;
    }>((resolve, reject) => {
      const options = { deadline: input.clock.now() + TIMEOUT_MS };
      client.enroll({ joinToken: input.token, csr, facts: input.facts }, new Metadata(), options, (error, response) => {
        if (error === null) resolve(response);
        else reject(fromServiceError(error, input.server));
      });
    });
    return {
      deviceId: answer.deviceId,
      deviceName: answer.deviceName,
      serverAddress: input.server,
      caCertificate,
      privateKey,
      certificate: answer.certificate,
      keyHash: createHash('sha256')
        .update(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
        .digest('hex'),
      leaseKeys: parseLeaseKeySet(JSON.parse(answer.leaseKeySet)),
      auditKey: answer.auditKey,
    };
  } finally {
    client.close();
  }
}

/** The CA certificate behind an address, if it is the one with the fingerprint. Nothing else is believed yet. */
function fetchCa(address: string, fingerprint: string): Promise<string> {
  const [, host, port] = /^(?:\[)?([^\]]+?)(?:\])?:(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || port === undefined)
    throw new CurfewError('FIELD_INVALID', { field: '--server', problem: `'${address}' is not HOST:PORT` });
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(port),
      servername: 'curfew-server',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
    });
    const fail = (detail: string): void => {
      socket.destroy();
      reject(new CurfewError('SERVER_UNREACHABLE', { address, detail }));
    };
    socket.setTimeout(TIMEOUT_MS, () => {
      fail('no answer');
    });
    socket.on('error', (error: Error) => {
      fail(error.message);
    });
    socket.on('secureConnect', () => {
      const leaf = socket.getPeerCertificate(true);
      const ca = new X509Certificate(leaf.issuerCertificate.raw);
      const genuine =
        createHash('sha256').update(ca.raw).digest('hex') === fingerprint &&
        new X509Certificate(leaf.raw).verify(ca.publicKey);
      if (genuine) {
        socket.destroy();
        resolve(ca.toString());
      } else fail('it is not the server that made this join token');
    });
  });
}
