import {
  ConnectRequest,
  EnrollmentServiceClient,
  EndReason as ProtoEndReason,
  LinkServiceClient,
  ObservedState,
  type AccessRequest,
  type ConnectResponse,
  type DesiredState,
} from '@curfew/proto';
import {
  Backoff,
  CurfewError,
  durationMs,
  END_REASONS,
  instantMs,
  verifyLease,
  verifyLeaseKeySet,
  type Clock,
  type LeaseClaims,
  type Logger,
  type Random,
} from '@curfew/shared';
import { Metadata, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import type { DeviceReport } from '@curfew/proto';
import type { EndNotice, Holder } from '../grants/holder.js';
import type { DeviceIdentity, IdentityStore } from '../ports/device-identity.js';
import { makeCsr } from '../enroll/csr.js';
import { CHANNEL_OPTIONS, deviceCredentials, fromServiceError } from './channel.js';
import { judgeCheckpoint } from './witness.js';

export interface ServerLinkParts {
  readonly holder: Holder;
  readonly identities: IdentityStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bootId: string;
  readonly report: () => Promise<DeviceReport>;
}

type Stream = ClientDuplexStream<ConnectRequest, ConnectResponse>;

/** How long a connect attempt may take; grpc-js itself would wait for ever. */
const CONNECT_TIMEOUT = durationMs(10_000);
/** Nonces are good for leases that are still on their way; older ones are forgotten. */
const NONCES_KEPT = 8;

/** The agent's side of the link: connects, says hello, takes whole states down and sends whole states up. */
export class ServerLink {
  /** The newest requests of people on this device, as of the last time that the link was up. */
  requests: readonly AccessRequest[] = [];
  /** Since when the link is down; undefined while it is up. */
  downSince: number | undefined;
  private readonly instance: string;
  private readonly backoff: Backoff;
  private readonly listeners = new Set<() => void>();
  private stopped = false;
  private client: LinkServiceClient | undefined;
  private stream: Stream | undefined;

  constructor(
    private identity: DeviceIdentity,
    private readonly parts: ServerLinkParts,
  ) {
    this.instance = parts.random.bytes(16).toString('hex');
    this.backoff = new Backoff(parts.random, 200, 15_000);
    this.downSince = parts.clock.now();
    parts.holder.onChange(() => {
      this.sendObserved();
    });
  }

  get device(): DeviceIdentity {
    return this.identity;
  }

  get linked(): boolean {
    return this.downSince === undefined;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Stays linked until `stop`: every end of a link is followed by a new attempt, with jitter. */
  async run(): Promise<void> {
    for (; !this.stopped;) {
      let wait = 0;
      try {
        await this.renewIfDue();
        await this.converse();
      } catch (error) {
        const known = error instanceof CurfewError ? error : undefined;
        this.parts.logger.warn('link down', { code: known?.code, error: known?.message ?? error });
        if (known?.code === 'LINK_FENCED') wait = 2_000;
      }
      this.setDown();
      if (!this.isStopped())
        await new Promise<void>((resolve) => this.parts.clock.after(durationMs(this.backoff.next() + wait), resolve));
    }
  }

  stop(): void {
    this.stopped = true;
    this.stream?.cancel();
    this.client?.close();
  }

  /** Calls a method for a person on the device. Errors: SERVER_UNREACHABLE, and the method's own. */
  call<Request, Response>(
    method: (
      client: LinkServiceClient,
    ) => (
      request: Request,
      metadata: Metadata,
      options: { deadline: number },
      callback: (error: ServiceError | null, response: Response) => void,
    ) => unknown,
    request: Request,
  ): Promise<Response> {
    const { client } = this;
    if (client === undefined || !this.linked)
      return Promise.reject(
        new CurfewError('SERVER_UNREACHABLE', { address: this.identity.serverAddress, detail: 'the link is down' }),
      );
    return new Promise((resolve, reject) => {
      method(client).call(
        client,
        request,
        new Metadata(),
        { deadline: this.parts.clock.now() + CONNECT_TIMEOUT },
        (error, response) => {
          if (error === null) resolve(response);
          else reject(fromServiceError(error, this.identity.serverAddress));
        },
      );
    });
  }

  private isStopped(): boolean {
    return this.stopped;
  }

  private converse(): Promise<void> {
    const { clock, logger } = this.parts;
    const client = new LinkServiceClient(
      this.identity.serverAddress,
      deviceCredentials(this.identity),
      CHANNEL_OPTIONS,
    );
    this.client = client;
    const stream = client.connect();
    this.stream = stream;
    const silence = clock.after(CONNECT_TIMEOUT, () => {
      if (this.stream === stream && this.downSince !== undefined) stream.cancel();
    });
    let work: Promise<void> = Promise.resolve();
    this.hello(stream);
    return new Promise<void>((resolve, reject) => {
      stream.on('data', (response: ConnectResponse) => {
        if (this.downSince !== undefined) this.setUp();
        work = work
          .then(() => this.take(stream, response))
          .catch((error: unknown) => {
            logger.error('a message from the server could not be applied', { error });
          });
      });
      stream.on('error', (error: ServiceError) => {
        reject(fromServiceError(error, this.identity.serverAddress));
      });
      stream.on('end', resolve);
    }).finally(() => {
      silence();
      if (this.stream === stream) this.stream = undefined;
      client.close();
    });
  }

  private hello(stream: Stream): void {
    const { holder, clock, random, bootId } = this.parts;
    const { nonces, snapshot } = holder;
    const nonce = random.bytes(16).toString('hex');
    nonces.set(nonce, clock.bootTime());
    for (const old of [...nonces.keys()].slice(0, -NONCES_KEPT)) nonces.delete(old);
    const value = {
      nonce,
      instance: this.instance,
      bootId,
      incarnation: BigInt(snapshot.incarnation),
      floorGeneration: BigInt(snapshot.floorGeneration),
      floorEpoch: BigInt(snapshot.floorEpoch),
      checkpoint: { note: snapshot.checkpoint },
      leaseKeySetVersion: BigInt(this.identity.leaseKeys.version),
      wallTime: new Date(clock.now()),
    };
    stream.write(ConnectRequest.fromPartial({ message: { $case: 'hello', value } }));
    void this.parts
      .report()
      .then((report) => {
        if (this.stream === stream)
          stream.write(ConnectRequest.fromPartial({ message: { $case: 'report', value: report } }));
      })
      .catch((error: unknown) => {
        this.parts.logger.warn('the device report could not be made', { error });
      });
  }

  private async take(stream: Stream, { message }: ConnectResponse): Promise<void> {
    const { holder, logger } = this.parts;
    switch (message?.$case) {
      case 'desired':
        // A stream that was replaced has nothing to say any more.
        if (this.stream === stream) void holder.applyDesired(await this.verified(message.value));
        return;
      case 'requests':
        this.requests = message.value.requests;
        this.changed();
        return;
      case 'checkpoint': {
        const verdict = judgeCheckpoint(holder.snapshot.checkpoint, message.value, this.identity.auditKey);
        if (verdict.accepted) {
          await holder.keepCheckpoint(verdict.note);
          return;
        }
        logger.error('the audit log was refused', { detail: verdict.detail });
        const value = { size: BigInt(verdict.size), accepted: false, detail: verdict.detail };
        stream.write(ConnectRequest.fromPartial({ message: { $case: 'verdict', value } }));
        await holder.refuseServer('CHECKPOINT_INCONSISTENT');
        return;
      }
      case 'leaseKeySet': {
        const leaseKeys = await verifyLeaseKeySet(message.value.signedKeySet, this.identity.leaseKeys);
        await this.keep({ ...this.identity, leaseKeys });
        return;
      }
      case undefined:
        return;
    }
  }

  private async verified(desired: DesiredState) {
    const leases: LeaseClaims[] = [];
    for (const token of desired.leases)
      try {
        leases.push(await verifyLease(token, this.identity.leaseKeys));
      } catch (error) {
        // Nothing in it can be trusted, not even whose session it names.
        this.parts.logger.error('a lease was refused', { error });
      }
    const endNotices = new Map<string, EndNotice>();
    for (const notice of desired.endNotices) {
      const name = ProtoEndReason[notice.reason].toLowerCase();
      const by = notice.endedBy === '' ? '' : `by ${notice.endedBy}`;
      const detail = [by, notice.detail].filter(Boolean).join(': ');
      endNotices.set(notice.sessionId, { reason: END_REASONS.find((reason) => reason === name) ?? 'revoked', detail });
    }
    return {
      generation: Number(desired.generation),
      incarnation: Number(desired.incarnation),
      revokedEpoch: Number(desired.revokedEpoch),
      leases,
      endNotices,
    };
  }

  private sendObserved(): void {
    const { holder, clock } = this.parts;
    const { snapshot } = holder;
    this.changed();
    if (this.stream === undefined || !this.linked) return;
    const value = ObservedState.fromPartial({
      generation: BigInt(holder.applied.generation),
      incarnation: BigInt(holder.applied.incarnation),
      // What is being removed is still there until it has been read back as gone.
      held: snapshot.grants
        .filter(({ phase, madeAtMs }) => phase === 'held' || (phase === 'removing' && madeAtMs > 0))
        .map((grant) => ({
          sessionId: grant.sessionId,
          epoch: BigInt(grant.epoch),
          account: {
            name: grant.account.name,
            uid: grant.account.uid ?? undefined,
            fingerprint: grant.account.fingerprint,
          },
          madeTime: new Date(grant.madeAtMs),
          remaining: { seconds: BigInt(Math.max(0, Math.floor((grant.deadline - clock.bootTime()) / 1000))), nanos: 0 },
        })),
      ended: snapshot.ended.map((ended) => ({
        sessionId: ended.sessionId,
        epoch: BigInt(ended.epoch),
        reason:
          (ProtoEndReason as unknown as Record<string, ProtoEndReason>)[ended.reason.toUpperCase()] ??
          ProtoEndReason.FAILED,
        code: ended.code,
        detail: ended.detail.slice(0, 500),
        endTime: new Date(ended.endedAtMs),
      })),
      refusalCode: holder.refusalCode,
    });
    this.stream.write(ConnectRequest.fromPartial({ message: { $case: 'observed', value } }));
  }

  /** A certificate is renewed at half of its life; also after its end, for the key proves who asks. */
  private async renewIfDue(): Promise<void> {
    const certificate = new X509Certificate(this.identity.certificate);
    const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
    if (this.parts.clock.now() < (from + to) / 2) return;
    const client = new EnrollmentServiceClient(
      this.identity.serverAddress,
      deviceCredentials(this.identity),
      CHANNEL_OPTIONS,
    );
    try {
      const csr = await makeCsr(this.identity.privateKey);
      const renewed = await new Promise<string>((resolve, reject) => {
        client.renew(
          { csr },
          new Metadata(),
          { deadline: this.parts.clock.now() + CONNECT_TIMEOUT },
          (error, response) => {
            if (error === null) resolve(response.certificate);
            else reject(fromServiceError(error, this.identity.serverAddress));
          },
        );
      });
      await this.keep({ ...this.identity, certificate: renewed });
      this.parts.logger.info('certificate renewed');
    } finally {
      client.close();
    }
  }

  /** Renews while a link is up; the link goes on with the certificate that it began with. */
  async renewInBackground(): Promise<void> {
    await this.renewIfDue().catch((error: unknown) => {
      this.parts.logger.warn('the certificate could not be renewed, will try again', { error });
    });
  }

  private async keep(identity: DeviceIdentity): Promise<void> {
    await this.parts.identities.save(identity);
    this.identity = identity;
  }

  private setUp(): void {
    this.downSince = undefined;
    this.backoff.reset();
    this.parts.logger.info('link up', { server: this.identity.serverAddress });
    this.sendObserved();
  }

  private setDown(): void {
    if (this.downSince !== undefined) return;
    this.downSince = instantMs(this.parts.clock.now());
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
