import {
  AccessServiceService,
  CreateApiTokenRequest,
  CreateMyRequestRequest,
  GrantSessionRequest,
  ListSessionsRequest,
  PutConnectorRequest,
  PutResourceRequest,
  RequestServiceService,
  ResourceServiceService,
  RevokeSessionsRequest,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
  type Resource,
  type RevokeResult,
  type Session,
} from '@curfew/proto';
import { OperatorClient } from './operator-client.js';
import type { ResourceEntry } from './real-resources.js';
import { eventually } from './wait.js';

const SOON = { withinMs: 30_000 };
const DAY_SECONDS = 86_400n;

/** An operator of resources: short words for what the tests of timed access do again and again. */
export class ResourceOperator extends OperatorClient {
  async user(name: string): Promise<void> {
    await this.call(UserServiceService.createUser, { name, displayName: '', role: Role.USER });
  }

  /** Somebody's own calls, with a token of a day. */
  async person(user: string): Promise<Person> {
    const ttl = { seconds: DAY_SECONDS, nanos: 0 };
    const wish = CreateApiTokenRequest.fromPartial({ user, label: 'test', scope: Role.USER, ttl });
    const { secret } = await this.call(UserServiceService.createApiToken, wish);
    return new Person({ ...this.server, ownerToken: secret });
  }

  /** Enters a resource, and a connector of the same name for it. */
  async enter(name: string, { kind, settings, secrets, target }: ResourceEntry): Promise<void> {
    const request = PutConnectorRequest.fromPartial({ connector: { name, kind, settings }, secrets });
    await this.call(ResourceServiceService.putConnector, request);
    const resource = { name, connector: name, target };
    await this.call(ResourceServiceService.putResource, PutResourceRequest.fromPartial({ resource }));
  }

  /** Approves a request. Returns the id of the session that begins with that. */
  async approve(requestId: string): Promise<string> {
    const approval = { requestId, reason: 'fine', duration: undefined };
    return (await this.call(RequestServiceService.approveAccessRequest, approval)).request?.sessionId ?? '';
  }

  async connector(name: string, url: string, more: { disabled?: boolean; mode?: string } = {}): Promise<void> {
    const settings = { url, ...(more.mode === undefined ? {} : { mode: more.mode }) };
    const connector = { name, kind: 'fake', settings, disabled: more.disabled ?? false };
    const request = PutConnectorRequest.fromPartial({ connector, secrets: { password: 'hunter2' } });
    await this.call(ResourceServiceService.putConnector, request);
  }

  async resource(name: string, connector: string, more: Partial<Resource> = {}): Promise<Resource> {
    const request = PutResourceRequest.fromPartial({ resource: { name, connector, target: { group: name }, ...more } });
    const { resource } = await this.call(ResourceServiceService.putResource, request);
    if (resource === undefined) throw new Error('no resource was answered');
    return resource;
  }

  async grant(user: string, resource: string, seconds = 3_600): Promise<string> {
    const request = { user, resource, duration: { seconds: BigInt(seconds), nanos: 0 }, reason: 'a look' };
    const { session } = await this.call(SessionServiceService.grantSession, GrantSessionRequest.fromPartial(request));
    return session?.id ?? '';
  }

  async session(sessionId: string): Promise<Session> {
    const { session } = await this.call(SessionServiceService.getSession, { sessionId });
    if (session === undefined) throw new Error('no session was answered');
    return session;
  }

  /** The sessions of a resource that have not ended; at most 1,000. */
  open(resource: string): Promise<Session[]> {
    return this.sessions({ resource });
  }

  /** The sessions of a resource that have ended; at most 1,000. */
  ended(resource: string): Promise<Session[]> {
    return this.sessions({ resource, states: [SessionState.ENDED] });
  }

  private async sessions(filter: { resource: string; states?: SessionState[] }): Promise<Session[]> {
    const request = ListSessionsRequest.fromPartial({ filter, pageSize: 1_000 });
    return (await this.call(SessionServiceService.listSessions, request)).sessions;
  }

  /** Waits until a session is in a state. */
  until(sessionId: string, state: SessionState, withinMs = SOON.withinMs): Promise<Session> {
    return eventually(
      async () => {
        const session = await this.session(sessionId);
        return session.state === state && session;
      },
      { withinMs, what: `the session ${sessionId} to be ${SessionState[state]}` },
    );
  }

  async active(user: string, resource: string, seconds?: number): Promise<string> {
    const id = await this.grant(user, resource, seconds);
    await this.until(id, SessionState.ACTIVE);
    return id;
  }

  async revoke(selection: NonNullable<RevokeSessionsRequest['selection']>, waitSeconds = 0): Promise<RevokeResult[]> {
    const wait = waitSeconds === 0 ? undefined : { seconds: BigInt(waitSeconds), nanos: 0 };
    const request = { ...RevokeSessionsRequest.fromPartial({ reason: 'enough' }), selection, wait };
    return (await this.call(SessionServiceService.revokeSessions, request)).results;
  }

  async resourceNow(name: string): Promise<Resource> {
    const { resources } = await this.call(ResourceServiceService.listResources, {});
    const found = resources.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no resource ${name}`);
    return found;
  }
}

/** Somebody who asks for resources. */
export class Person extends OperatorClient {
  /** Asks for a resource. Returns the request's id. */
  async ask(resource: string, seconds: number): Promise<string> {
    const wish = { resource, duration: { seconds: BigInt(seconds), nanos: 0 }, reason: 'a look' };
    const request = CreateMyRequestRequest.fromPartial(wish);
    return (await this.call(AccessServiceService.createMyRequest, request)).request?.id ?? '';
  }
}

/** Revokes these sessions. */
export const these = (...ids: string[]): NonNullable<RevokeSessionsRequest['selection']> => ({
  $case: 'sessions',
  value: { ids },
});
