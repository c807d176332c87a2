import {
  type Account,
  type AppendRecordingRequest,
  AppendRecordingResponse,
  type ConnectRequest,
  ConnectResponse,
  LinkServiceService,
  type ObservedState,
  type Recording,
  ReportProcessesResponse,
} from '@curfew/proto';
import {
  generateLeaseKey,
  type LeaseClaims,
  leasePublicKey,
  leaseSigningKey,
  newId,
  signLease,
  systemRandom,
} from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import { createHash, createPublicKey } from 'node:crypto';
import type { Device } from './device.js';
import { freshKey, makeCertificate, type TestCertificate } from './test-certificates.js';
import { eventually } from './wait.js';

/** What a session is to give, beside every command as root without a password. */
export type LeaseTerms = Partial<Pick<LeaseClaims, 'recording' | 'keepProcesses'>> &
  Partial<Pick<LeaseClaims['options'], 'commands'>>;

/** A recording as the server has been told of it. */
export interface KeptRecording {
  readonly recording: Recording;
  readonly events: Buffer;
}

interface Given extends LeaseTerms {
  readonly sessionId: string;
  readonly account: Account;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * The smallest server that a real agent links to: it signs leases with whatever terms a test wants, and keeps what it is told
 * in memory. For tests of what a device does; it decides nothing, and has one device.
 */
export class LeaseServer {
  /** What the device has brought of each recording, by id. */
  readonly recordings = new Map<string, KeptRecording>();
  /** Whether recordings are taken. */
  takesRecordings = true;
  private accounts: readonly Account[] = [];
  private observed: ObservedState | undefined;
  private readonly given = new Map<string, Given>();
  private cuts: readonly string[] = [];
  private server: grpc.Server | undefined;
  private port = 0;
  private streams = new Set<grpc.ServerDuplexStream<ConnectRequest, ConnectResponse>>();
  private nonce = '';
  private keyHash = '';
  private generation = 0;
  private epoch = 0;

  private constructor(
    private readonly ca: TestCertificate,
    private readonly own: TestCertificate,
    private readonly leaseKey: Awaited<ReturnType<typeof leaseSigningKey>>,
  ) {}

  static async start(): Promise<LeaseServer> {
    const ca = await makeCertificate({ name: 'test-ca', isCa: true, usage: 'none' });
    const signer = { key: ca.key, name: 'test-ca' };
    const own = await makeCertificate({ name: 'curfew-server', signer, usage: 'server' });
    const server = new LeaseServer(ca, own, await leaseSigningKey(generateLeaseKey()));
    await server.listen();
    return server;
  }

  /** Enrols a device, without its doing. */
  async enrol(device: Device): Promise<void> {
    const key = await freshKey();
    const signer = { key: this.ca.key, name: 'test-ca' };
    // Not yet at the half of its life, when it would be renewed.
    const { certificate } = await makeCertificate({ name: 'dev-test', signer, key, days: [-1, 30] });
    const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
    this.keyHash = createHash('sha256').update(der).digest('hex');
    const identity = {
      deviceId: `dev-${'0'.repeat(20)}`,
      deviceName: device.name,
      serverAddress: `${device.network.hostAddress}:${this.port}`,
      caCertificate: this.ca.certificate,
      privateKey: key,
      certificate,
      keyHash: this.keyHash,
      leaseKeys: { version: 1, keys: [await leasePublicKey(this.leaseKey)] },
      auditKey: '',
    };
    await device.must(['mkdir', '-p', '-m', '0700', '/var/lib/curfew']);
    await device.must(['tee', '/var/lib/curfew/identity.json'], { stdin: JSON.stringify(identity) });
  }

  /** Gives an account a session, and waits until the device holds it. Gives its id. */
  async grant(name: string, terms: LeaseTerms = {}): Promise<string> {
    const account = await eventually(() => this.accounts.find((one) => one.name === name), {
      withinMs: 30_000,
      what: `the account ${name}`,
    });
    const sessionId = newId('session', systemRandom);
    this.given.set(sessionId, { sessionId, account, ...terms });
    await this.desire();
    await eventually(
      () => {
        const ended = this.observed?.ended.find((end) => end.sessionId === sessionId);
        if (ended !== undefined) throw new Error(`the device refused: ${ended.code} ${ended.detail}`);
        return this.observed?.held.some((held) => held.sessionId === sessionId);
      },
      { withinMs: 30_000, what: 'a device that holds the session' },
    );
    return sessionId;
  }

  /** Ends every session, and waits until the device holds none. */
  async revokeAll(): Promise<void> {
    this.given.clear();
    await this.desire();
    await eventually(() => this.observed?.held.length === 0, { withinMs: 30_000, what: 'a device that holds nothing' });
  }

  /** Has the commands of recordings ended. */
  async cut(...recordingIds: readonly string[]): Promise<void> {
    this.cuts = recordingIds;
    await this.desire();
  }

  /** Is out of reach from now on. */
  goAway(): void {
    this.server?.forceShutdown();
    this.server = undefined;
    this.streams.clear();
  }

  /** Is within reach again, where it was. */
  async comeBack(): Promise<void> {
    await this.listen();
  }

  dispose(): void {
    this.goAway();
  }

  private async listen(): Promise<void> {
    const server = new grpc.Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
    server.addService(LinkServiceService, {
      connect: (stream: grpc.ServerDuplexStream<ConnectRequest, ConnectResponse>) => this.converse(stream),
      reportProcesses: (_call: unknown, answer: grpc.sendUnaryData<ReportProcessesResponse>) =>
        answer(null, ReportProcessesResponse.fromPartial({})),
      appendRecording: (
        { request }: { request: AppendRecordingRequest },
        answer: grpc.sendUnaryData<AppendRecordingResponse>,
      ) => this.append(request, answer),
    });
    const keys = [{ private_key: Buffer.from(this.own.key), cert_chain: Buffer.from(this.own.certificate) }];
    const credentials = grpc.ServerCredentials.createSsl(Buffer.from(this.ca.certificate), keys, true);
    this.port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`0.0.0.0:${this.port}`, credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    this.server = server;
  }

  private converse(stream: grpc.ServerDuplexStream<ConnectRequest, ConnectResponse>): void {
    stream.on('error', () => undefined);
    stream.on('close', () => this.streams.delete(stream));
    stream.on('end', () => stream.end());
    stream.on('data', ({ message }: ConnectRequest) => {
      if (message?.$case === 'report') this.accounts = message.value.accounts;
      if (message?.$case === 'observed') this.observed = message.value;
      if (message?.$case !== 'hello') return;
      this.nonce = message.value.nonce;
      this.streams.add(stream);
      void this.desire();
    });
  }

  private append(
    { recording, offset, events }: AppendRecordingRequest,
    answer: grpc.sendUnaryData<AppendRecordingResponse>,
  ): void {
    if (!this.takesRecordings || recording === undefined) {
      answer({ code: grpc.status.UNAVAILABLE, details: 'no recordings are taken now' });
      return;
    }
    const kept = this.recordings.get(recording.id)?.events ?? Buffer.alloc(0);
    const from = Number(offset);
    const added = from > kept.length ? Buffer.alloc(0) : Buffer.from(events).subarray(kept.length - from);
    this.recordings.set(recording.id, { recording, events: Buffer.concat([kept, added]) });
    answer(null, AppendRecordingResponse.fromPartial({ size: BigInt(kept.length + added.length) }));
  }

  /** Tells the device what it should hold. */
  private async desire(): Promise<void> {
    const leases = await Promise.all(
      [...this.given.values()].map((given) => signLease(this.claims(given), this.leaseKey)),
    );
    this.generation += 1;
    const value = { generation: BigInt(this.generation), incarnation: 1n, leases, cutRecordingIds: [...this.cuts] };
    for (const stream of this.streams)
      stream.write(ConnectResponse.fromPartial({ message: { $case: 'desired', value } }));
  }

  private claims({ sessionId, account, commands = [], ...terms }: Given): LeaseClaims {
    const now = Date.now();
    return {
      sessionId,
      deviceKeyHash: this.keyHash,
      account: { name: account.name, uid: account.uid ?? null, sid: '', fingerprint: account.fingerprint },
      options: { kind: 'sudo_rule', passwordRequired: false, commands, runAs: '', group: '' },
      incarnation: 1,
      epoch: (this.epoch += 1),
      nonce: this.nonce,
      durationMs: HOUR_MS,
      wallEndMs: now + DAY_MS,
      issuedAtMs: now,
      ...terms,
    };
  }
}
