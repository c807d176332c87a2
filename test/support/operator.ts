import {
  DeviceServiceClient,
  Role,
  SessionServiceClient,
  SessionState,
  UserServiceClient,
  type Device,
  type RevokeResult,
  type Session,
} from '@curfew/proto';
import * as grpc from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import type { ControlPlane } from './control-plane.js';
import { eventually } from './wait.js';

const OPTIONS = { 'grpc.ssl_target_name_override': 'curfew-server', 'grpc.default_authority': 'curfew-server' };

/** No call hangs for ever: longer than a revoke of any test waits for its device. */
const ANSWER_WITHIN_MS = 90_000;

type Call<Q, S> = (
  request: Q,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  callback: (error: grpc.ServiceError | null, response: S) => void,
) => unknown;

const seconds = (value: number) => ({ seconds: BigInt(value), nanos: 0 });

/** An operator who gives and ends the sessions of alice, over the API: as `curfewctl` does, without a process each time. */
export class Operator {
  private readonly metadata = new grpc.Metadata();
  private readonly sessions: SessionServiceClient;
  private readonly devices: DeviceServiceClient;
  private readonly users: UserServiceClient;

  constructor(plane: ControlPlane) {
    const { CURFEW_SERVER: address = '', CURFEW_TOKEN: token = '' } = plane.operatorEnv;
    this.metadata.set('authorization', `Bearer ${token}`);
    const parts = [address, grpc.credentials.createSsl(readFileSync(plane.caFile)), OPTIONS] as const;
    this.sessions = new SessionServiceClient(...parts);
    this.devices = new DeviceServiceClient(...parts);
    this.users = new UserServiceClient(...parts);
  }

  close(): void {
    for (const client of [this.sessions, this.devices, this.users]) client.close();
  }

  /** The secret of a join token for `uses` devices. */
  async joinToken(uses: number): Promise<string> {
    const { devices } = this;
    return (await this.call(devices.createJoinToken.bind(devices), { uses, ttl: seconds(3600) })).secret;
  }

  async createUser(name: string): Promise<void> {
    const { users } = this;
    await this.call(users.createUser.bind(users), { name, displayName: '', role: Role.USER });
  }

  async device(device: string): Promise<Device> {
    const { devices } = this;
    return (await this.call(devices.getDevice.bind(devices), { device })).device!;
  }

  /** Gives alice a session on a device. */
  async grant(device: string, forSeconds: number): Promise<Session> {
    const { sessions } = this;
    const request = { user: 'alice', device, account: '', duration: seconds(forSeconds), reason: 'a look' };
    return (await this.call(sessions.grantSession.bind(sessions), { ...request, resource: '', options: undefined }))
      .session!;
  }

  async extend(sessionId: string, bySeconds: number): Promise<Session> {
    const { sessions } = this;
    return (await this.call(sessions.extendSession.bind(sessions), { sessionId, by: seconds(bySeconds) })).session!;
  }

  /** Revokes a session and waits for the device up to `waitSeconds`. */
  async revoke(sessionId: string, waitSeconds = 10): Promise<RevokeResult> {
    const { sessions } = this;
    const selection = { $case: 'sessions' as const, value: { ids: [sessionId] } };
    const request = { selection, reason: 'enough', wait: seconds(waitSeconds) };
    return (await this.call(sessions.revokeSessions.bind(sessions), request)).results[0]!;
  }

  async session(sessionId: string): Promise<Session> {
    const { sessions } = this;
    return (await this.call(sessions.getSession.bind(sessions), { sessionId })).session!;
  }

  /** The sessions that have not ended. */
  async live(): Promise<readonly Session[]> {
    const { sessions } = this;
    const request = { filter: undefined, orderBy: '', pageSize: 0, pageToken: '' };
    return (await this.call(sessions.listSessions.bind(sessions), request)).sessions;
  }

  /** Waits until a session stands in one of the states. Errors: it does not within the time. */
  async until(sessionId: string, states: readonly SessionState[], withinMs = 30_000): Promise<Session> {
    const names = states.map((state) => SessionState[state]).join(' or ');
    return eventually(
      async () => {
        const session = await this.session(sessionId);
        return states.includes(session.state) && session;
      },
      { withinMs, everyMs: 10, what: `${sessionId} to be ${names}` },
    );
  }

  private call<Q, S>(method: Call<Q, S>, request: Q): Promise<S> {
    return new Promise((resolve, reject) => {
      method(request, this.metadata, { deadline: Date.now() + ANSWER_WITHIN_MS }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  }
}
