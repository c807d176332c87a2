import type { Clock, Random } from '@curfew/shared/browser';
import { METHOD_ROLES } from '../src/api/method-roles.js';
import type { CallMethods, WatchMethods } from '../src/gen/api.js';
import { accessMethods } from './access-methods.js';
import { auditMethods } from './audit-methods.js';
import { allow, type Caller } from './caller.js';
import { deviceMethods } from './device-methods.js';
import type { CallHandlers } from './handlers.js';
import { notificationMethods } from './notification-methods.js';
import { policyMethods } from './policy-methods.js';
import { recordingMethods } from './recording-methods.js';
import { releaseMethods } from './release-methods.js';
import { requestMethods } from './request-methods.js';
import { resourceMethods } from './resource-methods.js';
import { serverMethods } from './server-methods.js';
import { sweepSessions } from './session-life.js';
import { sessionMethods } from './session-methods.js';
import { signInMethods } from './sign-in-methods.js';
import { userMethods } from './user-methods.js';
import { watchMethods } from './watch-methods.js';
import { World } from './world.js';

const CALLS: CallHandlers = {
  ...accessMethods,
  ...auditMethods,
  ...deviceMethods,
  ...notificationMethods,
  ...policyMethods,
  ...recordingMethods,
  ...releaseMethods,
  ...requestMethods,
  ...resourceMethods,
  ...serverMethods,
  ...sessionMethods,
  ...signInMethods,
  ...userMethods,
};

/** Whether the text is a method that is answered once. */
export const isCallMethod = (method: string): method is keyof CallMethods => Object.hasOwn(CALLS, method);

/** Whether the text is a method that goes on answering. */
export const isWatchMethod = (method: string): method is keyof WatchMethods =>
  Object.hasOwn(METHOD_ROLES, method) && !isCallMethod(method);

/** The server's API in memory: the same methods, moves and error codes. Refusals are thrown. */
export class FakeApi {
  readonly world: World;

  constructor(clock: Clock, random: Random) {
    this.world = new World(clock, random);
    sweepSessions(this.world);
  }

  /** Calls a method that is answered once. */
  call<M extends keyof CallMethods>(
    method: M,
    request: CallMethods[M]['request'],
    caller: Caller | undefined,
  ): CallMethods[M]['response'] {
    return CALLS[method](this.world, allow(caller, method), request);
  }

  /**
   * Calls a method that goes on answering. What is returned stops it; undefined when it has ended. `end` is called when it
   * ends later.
   */
  watch<M extends keyof WatchMethods>(
    method: M,
    request: WatchMethods[M]['request'],
    caller: Caller | undefined,
    send: (message: WatchMethods[M]['response']) => void,
    end: () => void = () => undefined,
  ): (() => void) | undefined {
    return watchMethods[method](this.world, allow(caller, method), request, send, end);
  }

  /** Stops everything that it would still do. */
  close(): void {
    this.world.close();
  }
}
