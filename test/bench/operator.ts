import {
  ApproveAccessRequestRequest,
  DeviceServiceService,
  HealthService,
  ListSessionsRequest,
  RequestServiceService,
  RevokeOutcome,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
  type RevokeSessionsRequest,
} from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '../support/wait.js';

const OPTIONS = {
  'grpc.ssl_target_name_override': 'curfew-server',
  'grpc.default_authority': 'curfew-server',
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
};

interface Method<Q, S> {
  readonly path: string;
  readonly requestSerialize: (request: Q) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => S;
}

/** How long a session lasts that nobody revokes, and how long a call takes at most. */
const [SESSION, WAIT] = [
  { seconds: 3_600n, nanos: 0 },
  { seconds: 60n, nanos: 0 },
];

/** An operator who calls the API over one connection, as any client does. */
export class Operator {
  private readonly metadata = new grpc.Metadata();
  private readonly client: grpc.Client;

  constructor(address: string, ca: Buffer, token: string) {
    this.metadata.set('authorization', `Bearer ${token}`);
    this.client = new grpc.Client(address, grpc.credentials.createSsl(ca), OPTIONS);
  }

  /** The bare unary call: the standard health check, which asks for no token and touches nothing. */
  async echo(): Promise<void> {
    await this.call(HealthService.check, { service: '' });
  }

  async createUser(name: string): Promise<void> {
    await this.call(UserServiceService.createUser, { name, displayName: '', role: Role.USER });
  }

  async joinToken(uses: number): Promise<string> {
    const { secret } = await this.call(DeviceServiceService.createJoinToken, { uses, ttl: SESSION });
    return secret;
  }

  /** Waits until the server knows the device's accounts. Errors: it does not within a minute. */
  async untilReported(device: string): Promise<void> {
    const has = async (): Promise<boolean> => {
      const answer = await this.call(DeviceServiceService.getDevice, { device });
      return (answer.device?.accounts.length ?? 0) > 0;
    };
    await eventually(has, { withinMs: 60_000, everyMs: 5, what: `the accounts of ${device}` });
  }

  /** Gives a user a session on the account of the same name, an hour or so many seconds; resolves with its id when it is durable. */
  async grant(user: string, device: string, forSeconds?: number): Promise<string> {
    const request = {
      user,
      account: '',
      device,
      duration: forSeconds === undefined ? SESSION : { seconds: BigInt(forSeconds), nanos: 0 },
      reason: 'benchmark',
      options: undefined,
      resource: '',
    };
    const { session } = await this.call(SessionServiceService.grantSession, request);
    return session?.id ?? '';
  }

  /** Approves what somebody has asked for. */
  async approve(requestId: string): Promise<void> {
    await this.call(RequestServiceService.approveAccessRequest, ApproveAccessRequestRequest.fromPartial({ requestId }));
  }

  /** Waits until the device has confirmed that it holds the right. */
  async untilActive(sessionId: string): Promise<void> {
    for (;;) {
      const { session } = await this.call(SessionServiceService.getSession, { sessionId });
      if (session?.state === SessionState.ACTIVE) return;
      if (session?.state !== SessionState.STARTING)
        throw new Error(`${sessionId} did not start: ${session?.endDetail ?? 'it is not there'}`);
      await pause(2);
    }
  }

  /** Waits until a session stands in a state; looks ten times a second. */
  async until(sessionId: string, state: SessionState): Promise<void> {
    for (;;) {
      const { session } = await this.call(SessionServiceService.getSession, { sessionId });
      if (session?.state === state) return;
      await pause(100);
    }
  }

  /** Waits until no session is still starting; looks so often, ms. */
  async untilNoneStarting(everyMs = 5): Promise<void> {
    const request = ListSessionsRequest.fromPartial({ filter: { states: [SessionState.STARTING] }, pageSize: 1 });
    while ((await this.call(SessionServiceService.listSessions, request)).totalSize > 0) await pause(everyMs);
  }

  /** Revokes; resolves when every device has read back that its right is gone. Errors: fewer than `expected` have. */
  async revoke(selection: RevokeSessionsRequest['selection'], expected = 1): Promise<void> {
    const request = { selection, reason: 'benchmark', wait: WAIT };
    const { results } = await this.call(SessionServiceService.revokeSessions, request);
    const effective = results.filter(({ outcome }) => outcome === RevokeOutcome.EFFECTIVE).length;
    if (effective !== expected || results.length !== expected)
      throw new Error(`${effective} of ${results.length} revokes are effective; ${expected} were expected`);
  }

  /** Revokes a session; resolves when that is durable, wherever its device is. */
  async decideEnd(sessionId: string): Promise<void> {
    const selection = { $case: 'sessions' as const, value: { ids: [sessionId] } };
    await this.call(SessionServiceService.revokeSessions, { selection, reason: 'benchmark', wait: undefined });
  }

  close(): void {
    this.client.close();
  }

  /** Watches; resolves when the first picture is whole. Ends with the client. */
  watch<Q, S extends { readonly synced: boolean }>(
    method: Method<Q, S>,
    request: Q,
    take: (answer: S) => void,
  ): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = method;
    const stream = this.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.metadata,
    );
    return new Promise((resolve, reject) => {
      stream.on('error', reject);
      stream.on('data', (answer: S) => {
        if (answer.synced) resolve();
        else take(answer);
      });
    });
  }

  call<Q, S>(method: Method<Q, S>, request: Q): Promise<S> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.metadata,
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(error ?? new Error(`no answer to ${method.path}`));
        },
      );
    });
  }
}
