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
import { Backoff, systemRandom } from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { createPrivateKey, randomBytes, randomInt, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { asRefusal, type Refusal } from './api-client.js';

x509.cryptoProvider.set(webcrypto as never);

/** The newest desired state that a device has seen. */
export interface DeviceFloor {
  readonly generation: bigint;
  readonly incarnation: bigint;
}

/** A server as a device finds it. */
export interface JoinedServer {
  /** HOST:PORT. */
  readonly address: string;
  /** The file with its CA's certificate. */
  readonly caFile: string;
  /** More options of gRPC for links to it. */
  readonly channelOptions?: grpc.ChannelOptions;
}

/** The names that a server's certificate always has, pings as the agents', and a client that is back soon after a server's restart. */
export const CHANNEL_OPTIONS = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  'grpc.keepalive_time_ms': 4_000,
  'grpc.keepalive_timeout_ms': 4_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 200,
};

/** How long a device waits before it links anew: between these, ms. */
const BACK_AFTER_MS = [100, 1_000] as const;

/** How long an agent waits for a server's first word, and then before it tries again: between these; ms. */
const AGENT_PATIENCE_MS = 10_000;
const AGENT_WAITS_MS = [200, 15_000] as const;

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
  private instance = randomBytes(16).toString('hex');
  /** Counts whoever has it come or go: the one before gives up. */
  private turn = 0;
  /** Every set of lease keys that it was sent, signed, oldest first. */
  readonly leaseKeySets: string[] = [];
  /** Every desired state that it was sent, oldest first. */
  readonly desired: DesiredState[] = [];
  /** How each of its links has ended, oldest first. */
  readonly ends: Refusal[] = [];
  /** The newest that it has seen. */
  floor: DeviceFloor = { generation: 0n, incarnation: 0n };
  /** Every checkpoint that it was sent, oldest first. */
  readonly checkpoints: CheckpointUpdate[] = [];
  /** The sessions whose leases it was sent last: what it holds, as long as it answers. */
  held: readonly string[] = [];
  /** While false, the device reads its desired state and says nothing. */
  answers = true;
  /** Whether it waits for a server that is not there; else the attempt has failed, as for one that has others to go to. */
  waitsForServer = true;
  /** Whether all that it was sent stays to be looked at; else only the newest of each kind: in hours thousands are sent a great deal. */
  remembers = true;
  /** Whether it comes back by itself when a link ends that nobody here has ended. */
  comesBack = false;
  /** Whether it passes over a state that is older than one that it has seen, as agents do. */
  refusesOlder = false;
  /** Told of what it holds with each desired state, before the server is. */
  onHeld: (sessions: readonly string[]) => void = () => undefined;
  /** Resolves when the link that was opened last has ended, however. */
  linkEnd: Promise<void> = Promise.resolve();

  link: LinkServiceClient;

  private constructor(
    readonly id: string,
    readonly auditKey: string,
    readonly identity: { readonly certificate: string; readonly key: string },
    private readonly server: Pick<JoinedServer, 'address' | 'channelOptions'>,
    /** Its own key and certificate. */
    readonly credentials: grpc.ChannelCredentials,
    private readonly accounts: Account[],
  ) {
    this.link = this.newClient();
  }

  private newClient(): LinkServiceClient {
    const { address, channelOptions } = this.server;
    return new LinkServiceClient(address, this.credentials, { ...CHANNEL_OPTIONS, ...channelOptions });
  }

  /** Another machine with a copy of this one's identity. It is not on line. */
  twin(server: JoinedServer): ScriptedDevice {
    const { certificate, key } = this.identity;
    const credentials = grpc.credentials.createSsl(
      readFileSync(server.caFile),
      Buffer.from(key),
      Buffer.from(certificate),
    );
    return new ScriptedDevice(this.id, this.auditKey, this.identity, server, credentials, this.accounts);
  }

  /** The same agent, as it goes to another server of the same ledger. It is not on line. */
  at(server: JoinedServer): ScriptedDevice {
    // All servers of a ledger have one CA, and what is made of keys is dear.
    const { id, auditKey, identity, credentials, accounts } = this;
    const moved = new ScriptedDevice(id, auditKey, identity, server, credentials, accounts);
    moved.instance = this.instance;
    return moved;
  }

  /** Enrols with a join token, links, and reports the accounts. */
  static async enroll(server: JoinedServer, joinToken: string, hostname: string, accounts: string[]) {
    const device = await ScriptedDevice.join(server, joinToken, hostname, accounts);
    await device.goOnline();
    return device;
  }

  /** Enrols with a join token, and is not on line. */
  static async join(server: JoinedServer, joinToken: string, hostname: string, accounts: string[]) {
    const { identity, privateKey } = await redeemJoinToken(server, joinToken, hostname);
    const [key, certificate] = [Buffer.from(privateKey), Buffer.from(identity.certificate)];
    return new ScriptedDevice(
      identity.deviceId,
      identity.auditKey,
      { certificate: identity.certificate, key: privateKey },
      server,
      grpc.credentials.createSsl(readFileSync(server.caFile), key, certificate),
      accounts.map((name, at) => ({
        name,
        uid: 1000 + at,
        sid: '',
        fingerprint: randomBytes(32).toString('hex'),
        standingAdmin: false,
        ineligibleReason: '',
      })),
    );
  }

  /** The same device, when it had seen no more than `floor`, as it would meet another server that has its ledger. */
  before(server: JoinedServer, floor: DeviceFloor): ScriptedDevice {
    const twin = new ScriptedDevice(this.id, this.auditKey, this.identity, server, this.credentials, this.accounts);
    twin.floor = floor;
    return twin;
  }

  account(name: string): Account {
    const found = this.accounts.find((account) => account.name === name);
    if (found === undefined) throw new Error(`the device has no account ${name}`);
    return found;
  }

  /** Opens the link; resolves when the first desired state has come. */
  goOnline(): Promise<void> {
    this.turn += 1;
    return this.open();
  }

  private open(): Promise<void> {
    this.cancel();
    const stream = this.link.connect(new grpc.Metadata({ waitForReady: this.waitsForServer }));
    this.stream = stream;
    stream.on('error', (error) => this.note(this.ends, asRefusal(error)));
    this.linkEnd = new Promise((resolve) => stream.on('status', () => resolve()));
    void this.linkEnd.then(async () => {
      if (!this.comesBack) return;
      await pause(randomInt(...BACK_AFTER_MS));
      if (this.stream === stream) await this.comeBack();
    });
    const random = (): string => randomBytes(16).toString('hex');
    const hello = {
      nonce: random(),
      instance: this.instance,
      bootId: random(),
      incarnation: this.floor.incarnation,
      floorGeneration: this.floor.generation,
      checkpoint: { note: this.checkpoints.at(-1)?.checkpoint?.note ?? '' },
    };
    this.send({ $case: 'hello', value: hello });
    this.send({ $case: 'report', value: { accounts: this.accounts } });
    return new Promise((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', ({ message }: ConnectResponse) => {
        if (message?.$case === 'checkpoint') this.note(this.checkpoints, message.value);
        if (message?.$case === 'leaseKeySet') this.note(this.leaseKeySets, message.value.signedKeySet);
        if (message?.$case !== 'desired') return;
        if (this.refusesOlder && isOlder(message.value, this.floor)) return;
        this.note(this.desired, message.value);
        this.floor = { generation: message.value.generation, incarnation: message.value.incarnation };
        const held = message.value.leases.map(claimsOf);
        this.held = held.map(({ sessionId }) => sessionId);
        this.onHeld(this.held);
        if (this.answers) this.observe(message.value, held);
        resolve();
      });
    });
  }

  /**
   * Opens the link as agents do: on a connection of its own each time; one that is not answered in time is given up. It goes
   * on until there is one, or it is told to go online or offline meanwhile.
   */
  async comeBack(): Promise<void> {
    const turn = (this.turn += 1);
    const waits = new Backoff(systemRandom, ...AGENT_WAITS_MS);
    for (;;) {
      this.cancel();
      this.link.close();
      this.link = this.newClient();
      const late = new AbortController();
      const linked = await Promise.race([
        this.open().then(
          () => true,
          () => false,
        ),
        pause(AGENT_PATIENCE_MS, false, { signal: late.signal }).catch(() => false),
      ]);
      late.abort();
      if (linked || this.turn !== turn) return;
      this.cancel();
      await pause(waits.next());
      if (this.turn !== turn) return;
    }
  }

  /** Refuses the server's log, with the checkpoint that it says it keeps. */
  refuseLog(kept: string): void {
    const value = { size: 1n, accepted: false, detail: 'the log is short', kept: { note: kept } };
    this.send({ $case: 'verdict', value });
  }

  goOffline(): void {
    this.turn += 1;
    this.cancel();
  }

  close(): void {
    this.goOffline();
    this.link.close();
  }

  private note<T>(list: T[], one: T): void {
    if (!this.remembers) list.length = 0;
    list.push(one);
  }

  private cancel(): void {
    this.stream?.cancel();
    this.stream = undefined;
  }

  private observe({ generation, incarnation }: DesiredState, leases: readonly Lease[]): void {
    const held = leases.map(({ sessionId, epoch, account: { name, uid, fingerprint } }) => ({
      sessionId,
      epoch: BigInt(epoch),
      account: { name, uid, fingerprint },
    }));
    this.send({ $case: 'observed', value: { generation, incarnation, held } });
  }

  private send(message: Parameters<typeof ConnectRequest.fromPartial>[0]['message']): void {
    this.stream?.write(ConnectRequest.fromPartial({ message }));
  }
}

const isOlder = (state: DeviceFloor, floor: DeviceFloor): boolean =>
  state.incarnation < floor.incarnation ||
  (state.incarnation === floor.incarnation && state.generation < floor.generation);

/** Enrols a fresh key, and does nothing more. Errors: gRPC's, with the server's code in the metadata. */
export async function redeemJoinToken(
  server: JoinedServer,
  joinToken: string,
  hostname: string,
): Promise<{ readonly identity: EnrollResponse; readonly privateKey: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=device',
    keys: keys as never,
    signingAlgorithm: algorithm,
  });
  const credentials = grpc.credentials.createSsl(readFileSync(server.caFile));
  const client = new EnrollmentServiceClient(server.address, credentials, CHANNEL_OPTIONS);
  const facts = { hostname, platform: Platform.LINUX, osRelease: 'Debian GNU/Linux 12', agentVersion: '0.1.0' };
  const identity = await new Promise<EnrollResponse>((resolve, reject) =>
    client.enroll({ joinToken, csr: Buffer.from(csr.rawData), facts: factsOf(facts) }, (error, answer) =>
      error === null ? resolve(answer) : reject(error),
    ),
  ).finally(() => client.close());
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { identity, privateKey: key.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function claimsOf(lease: string): Lease {
  const [, payload = ''] = lease.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Lease;
}

const factsOf = (facts: { hostname: string; platform: Platform; osRelease: string; agentVersion: string }) => ({
  kernel: '6.1',
  architecture: 'x64',
  sudoVersion: 'Sudo version 1.9.13p3',
  sudoEnforcesEnd: true,
  independentRemover: 'watchdog-process',
  hardwareId: '',
  model: '',
  grantKinds: [],
  ...facts,
});
