import 'reflect-metadata';
import { ConnectResponse, EnrollmentServiceService, LinkServiceService, type RenewRequest } from '@curfew/proto';
import {
  DAY,
  durationMs,
  HOUR,
  ManualClock,
  silentLogger,
  SystemClock,
  systemRandom,
  type Logger,
} from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import assert from 'node:assert/strict';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { Holder } from '../grants/holder.js';
import type { DeviceIdentity } from '../ports/device-identity.js';
import { FakePrivilegeHost } from '../ports/fake-privilege-host.js';
import { ServerLink } from './server-link.js';

const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const freshKeys = (): Promise<webcrypto.CryptoKeyPair> => webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);

/** The private key, PEM. */
async function pemOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** A certificate that its own key has signed, PEM. */
async function certified(keys: webcrypto.CryptoKeyPair, name: string, from: number, to: number): Promise<string> {
  (x509.cryptoProvider as { set(crypto: unknown): void }).set(webcrypto);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${name}`, notBefore: new Date(from), notAfter: new Date(to), keys, signingAlgorithm: P256 },
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }])],
  });
  return made.toString('pem');
}

/** A server that answers renewals as it is told, and takes every link. */
class RenewingServer {
  /** What renewals are answered with; undefined refuses them. */
  certificate: string | undefined;
  renewals = 0;
  links = 0;
  private readonly server = new grpc.Server();

  async start({ key, certificate }: { key: string; certificate: string }): Promise<string> {
    this.server.addService(EnrollmentServiceService, {
      enroll: () => assert.fail('nobody enrols'),
      renew: (_call: grpc.ServerUnaryCall<RenewRequest, unknown>, callback: grpc.sendUnaryData<unknown>) => {
        this.renewals += 1;
        const metadata = new grpc.Metadata();
        metadata.set('curfew-error-code', 'TOO_MANY_CALLS');
        if (this.certificate !== undefined) callback(null, { certificate: this.certificate });
        else callback({ code: grpc.status.RESOURCE_EXHAUSTED, details: 'too many calls', metadata });
      },
    });
    this.server.addService(LinkServiceService, {
      connect: (call: grpc.ServerDuplexStream<unknown, ConnectResponse>) => {
        this.links += 1;
        call.write(ConnectResponse.fromPartial({ message: { $case: 'requests', value: { requests: [] } } }));
      },
    });
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) };
    const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    return `127.0.0.1:${port}`;
  }

  close(): void {
    this.server.forceShutdown();
  }
}

describe('a link whose certificate cannot be renewed', () => {
  let clock: ManualClock;
  let server: RenewingServer;
  let own: { key: string; certificate: string };
  let link: ServerLink | undefined;
  /** What a renewal gives. */
  let renewed: string;
  let waiters: { text: string; wake: () => void }[];

  before(async () => {
    // The server's is looked at by this machine's clock, the device's by its own.
    const keys = await freshKeys();
    own = {
      key: await pemOf(keys),
      certificate: await certified(keys, 'curfew-server', Date.UTC(2020), Date.UTC(2100)),
    };
  });
  beforeEach(() => {
    // Calls have deadlines by the machine's own time: from now on, however long it took to come here.
    clock = new ManualClock(new SystemClock().now());
    server = new RenewingServer();
    waiters = [];
  });
  afterEach(() => {
    link?.stop();
    server.close();
  });

  /** Resolves when the log has it. */
  const logged = (text: string): Promise<void> => new Promise((wake) => waiters.push({ text, wake }));
  const told = (text: string): void => {
    for (const waiter of waiters) if (waiter.text === text) waiter.wake();
  };

  /** Links with a certificate that runs out in `left` of its 24 hours. */
  async function begin(left: number): Promise<DeviceIdentity[]> {
    const serverAddress = await server.start(own);
    const to = clock.now() + left;
    const device = await freshKeys();
    const certificate = await certified(device, 'dev-1', to - DAY, to);
    renewed = await certified(device, 'dev-1', to, to + DAY);
    const saved: DeviceIdentity[] = [];
    const identity = { deviceId: 'dev-1', deviceName: 'web-1', serverAddress, caCertificate: own.certificate };
    const keys = {
      privateKey: await pemOf(device),
      certificate,
      keyHash: 'a'.repeat(64),
      leaseKeys: { version: 1, keys: [] },
    };
    const logger: Logger = { ...silentLogger, info: told, warn: told };
    const holder = new Holder({
      ...{ host: new FakePrivilegeHost(new Map()), clock, logger, bootId: 'boot-1', deviceKeyHash: 'a'.repeat(64) },
      stateFile: { load: async () => ({ found: 'nothing' }), save: async () => undefined },
      accounts: { byKey: async () => undefined, list: async () => [] },
    });
    link = new ServerLink(
      { ...identity, ...keys, auditKey: '' },
      {
        ...{ holder, clock, random: systemRandom, logger, bootId: 'boot-1' },
        identities: { load: async () => undefined, save: async (made) => void saved.push(made) },
        report: () => Promise.reject(new Error('nobody asks')),
        changes: { reports: [], kept: async () => undefined, onReport: () => undefined },
        cut: async () => undefined,
        offered: () => undefined,
        uninstallNeedsCode: () => undefined,
      },
    );
    void link.run();
    return saved;
  }

  it('comes up while the certificate is good, and has it renewed when that can be', async () => {
    const up = logged('link up');
    const refused = logged('the certificate could not be renewed, will try again');
    const down = logged('link down').then(() => assert.fail('it does not come up'));
    const saved = await begin(HOUR);
    await Promise.race([Promise.all([up, refused]), down]);
    assert.deepEqual([server.renewals, server.links, saved], [1, 1, []]);
    server.certificate = renewed;
    await link?.renewInBackground();
    assert.deepEqual([server.renewals, server.links], [2, 1]);
    assert.deepEqual(
      saved.map(({ certificate }) => certificate),
      [renewed],
    );
  });

  it('waits for the renewal when the certificate has run out', async () => {
    const down = logged('link down');
    const saved = await begin(0);
    await down;
    assert.deepEqual([server.renewals, server.links, saved], [1, 0, []]);
    server.certificate = renewed;
    const up = logged('link up');
    await clock.waitForTimer();
    clock.advance(durationMs(15_000));
    await up;
    assert.deepEqual([server.renewals, server.links, saved[0]?.certificate], [2, 1, renewed]);
  });
});
