import 'reflect-metadata';
import {
  type Account,
  type CheckpointUpdate,
  ConnectRequest,
  type ConnectResponse,
  type DesiredState,
  EnrollmentServiceClient,
  type EnrollResponse,
  LinkServiceClient,
  Platform,
} from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TestServer } from './test-server.js';

x509.cryptoProvider.set(webcrypto as never);

const OPTIONS = { 'grpc.ssl_target_name_override': 'curfew-server', 'grpc.default_authority': 'curfew-server' };

interface Lease {
  readonly sessionId: string;
  readonly epoch: number;
  readonly account: { readonly name: string; readonly uid: number; readonly fingerprint: string };
}

/**
 * A device that speaks the agents' protocol to a real server and at once says that it holds whatever it should hold. It
 * touches no operating system and checks no lease: for tests of what the server and its clients show.
 */
export class ScriptedDevice {
  private stream: grpc.ClientDuplexStream<ConnectRequest, ConnectResponse> | undefined;
  private floor = { generation: 0n, incarnation: 0n };
  /** Every checkpoint that it was sent, oldest first. */
  readonly checkpoints: CheckpointUpdate[] = [];
  /** While false, the device reads its desired state and says nothing. */
  answers = true;

  private constructor(
    readonly id: string,
    readonly auditKey: string,
    readonly link: LinkServiceClient,
    private readonly accounts: Account[],
  ) {}

  /** Enrols with a join token, links, and reports the accounts. */
  static async enroll(server: TestServer, joinToken: string, hostname: string, accounts: string[]) {
    const ca = readFileSync(server.running.caFile);
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const csr = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=device',
      keys: keys as never,
      signingAlgorithm: algorithm,
    });
    const client = new EnrollmentServiceClient(server.address, grpc.credentials.createSsl(ca), OPTIONS);
    const facts = { hostname, platform: Platform.LINUX, osRelease: 'Debian GNU/Linux 12', agentVersion: '0.1.0' };
    const identity = await new Promise<EnrollResponse>((resolve, reject) =>
      client.enroll({ joinToken, csr: Buffer.from(csr.rawData), facts: factsOf(facts) }, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      ),
    );
    client.close();
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
    const pem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' });
    const credentials = grpc.credentials.createSsl(ca, Buffer.from(pem), Buffer.from(identity.certificate));
    const device = new ScriptedDevice(
      identity.deviceId,
      identity.auditKey,
      new LinkServiceClient(server.address, credentials, OPTIONS),
      accounts.map((name, at) => ({
        name,
        uid: 1000 + at,
        sid: '',
        fingerprint: randomBytes(32).toString('hex'),
        standingAdmin: false,
        ineligibleReason: '',
      })),
    );
    await device.goOnline();
    return device;
  }

  account(name: string): Account {
    const found = this.accounts.find((account) => account.name === name);
    if (found === undefined) throw new Error(`the device has no account ${name}`);
    return found;
  }

  /** Opens the link; resolves when the first desired state has come. */
  goOnline(): Promise<void> {
    const stream = this.link.connect();
    this.stream = stream;
    stream.on('error', () => undefined);
    const random = (): string => randomBytes(16).toString('hex');
    const hello = {
      nonce: random(),
      instance: random(),
      bootId: random(),
      incarnation: this.floor.incarnation,
      floorGeneration: this.floor.generation,
      checkpoint: { note: this.checkpoints.at(-1)?.checkpoint?.note ?? '' },
    };
    this.send({ $case: 'hello', value: hello });
    this.send({ $case: 'report', value: { accounts: this.accounts } });
    return new Promise((resolve) => {
      stream.on('data', ({ message }: ConnectResponse) => {
        if (message?.$case === 'checkpoint') this.checkpoints.push(message.value);
        if (message?.$case !== 'desired') return;
        this.floor = { generation: message.value.generation, incarnation: message.value.incarnation };
        if (this.answers) this.observe(message.value);
        resolve();
      });
    });
  }

  goOffline(): void {
    this.stream?.cancel();
    this.stream = undefined;
  }

  close(): void {
    this.goOffline();
    this.link.close();
  }

  private observe({ generation, incarnation, leases }: DesiredState): void {
    const held = leases.map((lease) => {
      const [, payload = ''] = lease.split('.');
      const { sessionId, epoch, account } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Lease;
      const { name, uid, fingerprint } = account;
      return { sessionId, epoch: BigInt(epoch), account: { name, uid, fingerprint } };
    });
    this.send({ $case: 'observed', value: { generation, incarnation, held } });
  }

  private send(message: Parameters<typeof ConnectRequest.fromPartial>[0]['message']): void {
    this.stream?.write(ConnectRequest.fromPartial({ message }));
  }
}

const factsOf = (facts: { hostname: string; platform: Platform; osRelease: string; agentVersion: string }) => ({
  kernel: '6.1',
  architecture: 'x64',
  sudoVersion: 'Sudo version 1.9.13p3',
  sudoEnforcesEnd: true,
  independentRemover: 'watchdog-process',
  hardwareId: '',
  model: '',
  ...facts,
});
