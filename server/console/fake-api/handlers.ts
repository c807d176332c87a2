import type { CallMethods, WatchMethods } from '../src/gen/api.js';
import type { Caller } from './caller.js';
import type { World } from './world.js';

/** How each method that is answered once is answered. */
export type CallHandlers = {
  readonly [M in keyof CallMethods]: (
    world: World,
    caller: Caller,
    request: CallMethods[M]['request'],
  ) => CallMethods[M]['response'];
};

/**
 * How each method that goes on answering is answered. What is returned stops it; undefined when it has ended. One that
 * ends later calls `end`.
 */
export type WatchHandlers = {
  readonly [M in keyof WatchMethods]: (
    world: World,
    caller: Caller,
    request: WatchMethods[M]['request'],
    send: (message: WatchMethods[M]['response']) => void,
    end: () => void,
  ) => (() => void) | undefined;
};
