import {
  AccessRequest,
  AccessRequestState,
  EndReason,
  LocalServiceService,
  type LocalServiceServer,
  LocalSession,
  LocalStatus,
  ResourceOffer,
  ResourceStanding,
  SessionState,
} from '@curfew/proto';
import { CurfewError, isErrorCode } from '@curfew/shared';
import * as grpc from '@grpc/grpc-js';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from './scratch.js';

/** An agent on a local socket that keeps requests and sessions in memory and holds no right: for tests of its client. */
export class FakeAgent {
  readonly folder = scratchFolder('agent');
  readonly socket = join(this.folder, 'agent.sock');
  readonly calls: string[] = [];
  status = LocalStatus.fromPartial({ account: { name: 'alice', uid: 1000 }, deviceName: 'web-1', serverLinked: true });
  /** What may be asked for of resources. */
  offers: ResourceOffer[] = [];
  /** What the next call answers with, instead. */
  refuseNext: CurfewError | undefined;
  private server: grpc.Server | undefined;
  private readonly watchers = new Set<() => void>();
  private made = 0;

  async start(): Promise<void> {
    const server = new grpc.Server();
    server.addService(LocalServiceService, this.handlers());
    this.server = server;
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${this.socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      ),
    );
  }

  stop(): void {
    this.server?.forceShutdown();
    rmSync(this.socket, { force: true });
  }

  close(): void {
    this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Changes the newest request, as an operator's decision would. */
  decide(state: AccessRequestState, reason: string): void {
    const [newest, ...others] = this.status.requests;
    const decided = { ...newest, state, decidedBy: 'olga', decisionReason: reason, startByTime: inMinutes(60) };
    this.change({ requests: [AccessRequest.fromPartial(decided), ...others] });
  }

  /** Changes what is of resources. */
  changeResources(change: Partial<ResourceStanding>): void {
    const before = this.status.resources ?? ResourceStanding.fromPartial({});
    this.change({ resources: { ...before, ...change, asOfTime: inMinutes(0) } });
  }

  change(change: Partial<LocalStatus>): void {
    this.status = { ...this.status, ...change };
    for (const tell of this.watchers) tell();
  }

  private handlers(): LocalServiceServer {
    return {
      requestAccess: this.unary('requestAccess', ({ duration, reason, options, ticket, resource }) => {
        const id = `req-${String(++this.made).padStart(20, '0')}`;
        const state = AccessRequestState.PENDING;
        const times = { createTime: inMinutes(-2), decideByTime: inMinutes(60) };
        const asked = { id, state, duration, reason, options, ticket, ...times };
        const request = AccessRequest.fromPartial({ ...asked, resourceName: resource });
        if (resource === '') this.change({ requests: [request, ...this.status.requests] });
        else this.changeResources({ requests: [request, ...(this.status.resources?.requests ?? [])] });
        return { request };
      }),
      cancelRequest: this.unary('cancelRequest', ({ requestId }) => {
        const request = this.find(requestId);
        request.state = AccessRequestState.CANCELLED;
        return { request };
      }),
      start: this.unary('start', ({ requestId }) => {
        const request = this.find(requestId);
        request.state = AccessRequestState.STARTED;
        const session = LocalSession.fromPartial({
          id: `ses-${String(++this.made).padStart(20, '0')}`,
          state: SessionState.ACTIVE,
          remaining: request.duration,
          expireTime: inMinutes(15),
        });
        this.change({ sessions: [session] });
        return { session };
      }),
      end: this.unary('end', ({ resource }) => {
        const held = this.status.resources?.sessions.find(({ resourceName }) => resourceName === resource);
        if (resource !== '') {
          if (held === undefined) throw new CurfewError('SESSION_NOT_FOUND', { given: resource });
          const resourceSession = { ...held, state: SessionState.ENDING, endReason: EndReason.ENDED_BY_USER };
          this.changeResources({ sessions: [resourceSession] });
          return { sessions: [], resourceSession };
        }
        const sessions = this.status.sessions.map((session) => ({
          ...session,
          state: SessionState.ENDED,
          endReason: EndReason.ENDED_BY_USER,
          endTime: inMinutes(0),
        }));
        this.change({ sessions });
        return { sessions, resourceSession: undefined };
      }),
      listOffers: this.unary('listOffers', () => ({ offers: this.offers, asOfTime: inMinutes(0) })),
      getStatus: this.unary('getStatus', () => ({ status: this.status })),
      watchStatus: (call) => {
        this.calls.push('watchStatus');
        const tell = (): void => void call.write({ status: this.status });
        this.watchers.add(tell);
        call.on('cancelled', () => this.watchers.delete(tell));
        tell();
      },
      getAgentStatus: this.unary('getAgentStatus', () => forRoot('GetAgentStatus')),
      endEverySession: this.unary('endEverySession', () => forRoot('EndEverySession')),
    };
  }

  private unary<Q, S>(name: string, answer: (request: Q) => S): grpc.handleUnaryCall<Q, S> {
    return (call, callback) => {
      this.calls.push(name);
      try {
        const refusal = this.refuseNext;
        this.refuseNext = undefined;
        if (refusal !== undefined) throw refusal;
        callback(null, answer(call.request));
      } catch (error) {
        callback(asStatus(error));
      }
    };
  }

  private find(id: string): AccessRequest {
    const found = this.status.requests.find((request) => request.id.startsWith(id));
    if (found === undefined) throw new CurfewError('REQUEST_NOT_FOUND', { given: id });
    return found;
  }
}

function forRoot(method: string): never {
  throw new CurfewError('METHOD_NOT_ALLOWED', { role: 'user', method, needed: 'root' });
}

const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);

function asStatus(error: unknown): Partial<grpc.StatusObject> {
  if (!(error instanceof CurfewError) || !isErrorCode(error.code)) throw error;
  const metadata = new grpc.Metadata();
  metadata.set('curfew-error-code', error.code);
  return { code: grpc.status[error.status], details: error.message, metadata };
}
