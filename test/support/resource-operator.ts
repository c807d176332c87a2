import {
  GrantSessionRequest,
  PutConnectorRequest,
  PutResourceRequest,
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
import { eventually } from './wait.js';

const SOON = { withinMs: 30_000 };

/** An operator of resources: short words for what the tests of timed access do again and again. */
export class ResourceOperator extends OperatorClient {
  async user(name: string): Promise<void> {
    await this.call(UserServiceService.createUser, { name, displayName: '', role: Role.USER });
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

/** Revokes these sessions. */
export const these = (...ids: string[]): NonNullable<RevokeSessionsRequest['selection']> => ({
  $case: 'sessions',
  value: { ids },
});
