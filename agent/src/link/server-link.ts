import {
  EnrollmentServiceClient,
  LinkServiceClient,
  type AccessRequest,
  type ConnectRequest,
  type ConnectResponse,
} from '@curfew/proto';
import {
  Backoff,
  CurfewError,
  durationMs,
  instantMs,
  sleep,
  type Clock,
  type DurationMs,
  type Logger,
  type Random,
} from '@curfew/shared';
import { Metadata, type ClientDuplexStream, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { X509Certificate } from 'node:crypto';
import type { DeviceReport } from '@curfew/proto';
import type { SessionChanges } from '../changes/session-changes.js';
import type { Holder } from '../grants/holder.js';
import type { DeviceIdentity, IdentityStore } from '../ports/device-identity.js';
import { makeCsr } from '../enroll/csr.js';
import { CHANNEL_OPTIONS, deviceCredentials, fromServiceError } from './channel.js';
import { LinkConversation } from './link-conversation.js';

export interface ServerLinkParts {
  readonly holder: Holder;
  readonly identities: IdentityStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly bootId: string;
  readonly report: () => Promise<DeviceReport>;
  readonly changes: Pick<SessionChanges, 'reports' | 'kept' | 'onReport'>;
  /** Has the commands of these recordings ended, and no others from then on. */
  readonly cut: (recordingIds: readonly string[]) => Promise<void>;
  /** Hears which release is offered to this device, as its makers have signed it; '' for none. */
  readonly offered: (statement: string) => void;
  /** Hears whether the agent is to be taken off this device only with an operator's code. */
  readonly uninstallNeedsCode: (needsCode: boolean) => void;
}

type Stream = ClientDuplexStream<ConnectRequest, ConnectResponse>;

/** How long a connect attempt may take; grpc-js itself would wait for ever. */
const CONNECT_TIMEOUT = durationMs(10_000);
/** How long to stay away after another process with this identity has taken the link over; doubled each time. */
const [FENCED_WAIT, LONGEST_FENCED_WAIT] = [1_000, 60_000];
/** How long to wait for the next attempt at the most; less while rights are held, for a revoke may be waiting. */
const [LONGEST_WAIT_MS, LONGEST_WAIT_HOLDING_MS] = [15_000, 1_000];
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
  private conversation: LinkConversation | undefined;
  private renewing: Promise<void> | undefined;

  constructor(
    private identity: DeviceIdentity,
    private readonly parts: ServerLinkParts,
  ) {
    this.instance = parts.random.bytes(16).toString('hex');
    this.backoff = new Backoff(parts.random, 200, LONGEST_WAIT_MS);
    this.downSince = parts.clock.now();
    parts.holder.onChange(() => {
      this.sendObserved();
    });
    parts.changes.onReport((record) => this.conversation?.sendChanges(record));
    parts.holder.offline.onDoubt(() => this.stream?.cancel());
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
    for (let fenced = 0; !this.stopped;) {
      try {
        // A certificate that is still good opens the link: whatever keeps a renewal from coming keeps no revoke waiting.
        if (this.parts.clock.now() < this.certificateLife().to) void this.renewInBackground();
        else await this.renewIfDue();
        await this.converse();
      } catch (error) {
        const known = error instanceof CurfewError ? error : undefined;
        if (!this.isStopped())
          this.parts.logger.warn('link down', { code: known?.code, error: known?.message ?? error });
        fenced = known?.code === 'LINK_FENCED' ? fenced + 1 : 0;
        if (known !== undefined) this.giveUpIfGone(known);
      }
      this.setDown();
      const away = fenced === 0 ? 0 : Math.min(LONGEST_FENCED_WAIT, FENCED_WAIT * 2 ** (fenced - 1));
      const holding = this.parts.holder.snapshot.grants.length > 0;
      const wait = away + this.backoff.next(holding ? LONGEST_WAIT_HOLDING_MS : LONGEST_WAIT_MS);
      if (!this.isStopped()) await sleep(this.parts.clock, durationMs(wait));
    }
  }

  /** Waits until the server has taken note of the ends of sessions. Gives whether it has; at once while unlinked. */
  async untilTold(sessionIds: ReadonlySet<string>, within: DurationMs): Promise<boolean> {
    const { holder, clock } = this.parts;
    const told = (): boolean => !holder.snapshot.ended.some(({ sessionId }) => sessionIds.has(sessionId));
    const giveUpAt = clock.bootTime() + within;
    while (this.linked && !told() && clock.bootTime() < giveUpAt) await sleep(clock, durationMs(50));
    return told();
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

  /**
   * Follows a stream of answers for a person on the device; ends with the signal. Errors: SERVER_UNREACHABLE, also when the
   * link goes down, and the method's own.
   */
  async *follow<Request, Response>(
    method: (client: LinkServiceClient) => (request: Request) => ClientReadableStream<Response>,
    request: Request,
    signal: AbortSignal,
  ): AsyncGenerator<Response> {
    const { client } = this;
    const { serverAddress: address } = this.identity;
    if (client === undefined || !this.linked)
      throw new CurfewError('SERVER_UNREACHABLE', { address, detail: 'the link is down' });
    const stream = method(client).call(client, request);
    const cancel = (): void => stream.cancel();
    const unsubscribe = this.onChange(() => {
      if (!this.linked || this.client !== client) cancel();
    });
    signal.addEventListener('abort', cancel);
    if (signal.aborted) cancel();
    try {
      for await (const answer of stream) yield answer as Response;
    } catch (error) {
      if (!signal.aborted) throw fromServiceError(error as ServiceError, address);
    } finally {
      signal.removeEventListener('abort', cancel);
      unsubscribe();
      cancel();
    }
  }

  /** A device that is one no more holds nothing: nobody is left who could revoke it. */
  private giveUpIfGone({ code, message }: CurfewError): void {
    if (code !== 'DEVICE_REMOVED' && code !== 'DEVICE_KEY_REPLACED') return;
    this.parts.holder.endAll('device_removed', code, message).catch((error: unknown) => {
      this.parts.logger.error('what this device held could not be given up', { error });
    });
  }

  private isStopped(): boolean {
    return this.stopped;
  }

  private converse(): Promise<void> {
    const { clock } = this.parts;
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
    const conversation = this.conversationOn(stream);
    this.conversation = conversation;
    conversation.begin();
    return new Promise<void>((resolve, reject) => {
      stream.on('data', (response: ConnectResponse) => {
        if (this.downSince !== undefined) this.setUp();
        void conversation.received(response);
      });
      stream.on('error', (error: ServiceError) => {
        reject(fromServiceError(error, this.identity.serverAddress));
      });
      stream.on('end', resolve);
    }).finally(() => {
      silence();
      conversation.end();
      if (this.conversation === conversation) this.conversation = undefined;
      if (this.stream === stream) this.stream = undefined;
      client.close();
    });
  }

  private conversationOn(stream: Stream): LinkConversation {
    return new LinkConversation({
      ...this.parts,
      instance: this.instance,
      identity: () => this.identity,
      keep: (identity) => this.keep(identity),
      requested: (requests) => {
        this.requests = requests;
        this.changed();
      },
      send: (message) => {
        stream.write(message);
      },
    });
  }

  /** Tells the server what the device is now, if there is a link; each new link begins with that anyway. */
  sendReport(): void {
    this.conversation?.sendReport();
  }

  private sendObserved(): void {
    this.changed();
    if (this.linked) this.conversation?.sendObserved();
  }

  private certificateLife(): { readonly from: number; readonly to: number } {
    const { validFrom, validTo } = new X509Certificate(this.identity.certificate);
    return { from: Date.parse(validFrom), to: Date.parse(validTo) };
  }

  /** A certificate is renewed at half of its life; also after its end, for the key proves who asks. One renewal at a time. */
  private async renewIfDue(): Promise<void> {
    const { from, to } = this.certificateLife();
    if (this.parts.clock.now() < (from + to) / 2) return;
    this.renewing ??= this.renew().finally(() => {
      this.renewing = undefined;
    });
    await this.renewing;
  }

  private async renew(): Promise<void> {
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

  /** Renews beside the link, if it is time; the link goes on with the certificate that it began with. */
  async renewInBackground(): Promise<void> {
    await this.renewIfDue().catch((error: unknown) => {
      this.parts.logger.warn('the certificate could not be renewed, will try again', { error });
    });
  }

  /** What is new counts at once. If it cannot be saved, the server gives it again after a restart. */
  private async keep(identity: DeviceIdentity): Promise<void> {
    this.identity = identity;
    await this.parts.identities.save(identity);
  }

  private setUp(): void {
    this.downSince = undefined;
    this.parts.holder.offline.setLink(true);
    this.backoff.reset();
    this.parts.logger.info('link up', { server: this.identity.serverAddress });
    this.sendObserved();
  }

  private setDown(): void {
    if (this.downSince !== undefined) return;
    this.downSince = instantMs(this.parts.clock.now());
    this.parts.holder.offline.setLink(false);
    this.changed();
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
