import { bootMs, instantMs, type Clock, type Random } from '@curfew/shared/browser';
import { FakeApi } from './fake-api.js';
import { seededRandom } from './seeded-random.js';
import { seed, type SeedOptions } from './seed.js';

export { FakeApi } from './fake-api.js';
export { createFakeHandler, type FakeHandler } from './http-handler.js';
export { FAKE_CODE } from './sign-in-methods.js';
export { Refusal } from './refusal.js';
export { setOnline, endSession } from './session-life.js';
export { endRecording, writeOutput } from './recording-life.js';
export { setHealth } from './timed-sessions.js';
export { METHOD_ROLES } from '../src/api/method-roles.js';
export { type Caller } from './caller.js';
export { seededRandom } from './seeded-random.js';
export { PASSWORD, seed, type SeedOptions } from './seed.js';

/* The machine's own clock: the fake API runs in development and in tests of the page, where real seconds pass. */
/* eslint-disable no-restricted-syntax, no-restricted-globals */
const machineClock: Clock = {
  now: () => instantMs(Date.now()),
  bootTime: () => bootMs(performance.now()),
  after(delay, fn) {
    const timer = setTimeout(fn, Math.min(delay, 2_147_483_647));
    return () => clearTimeout(timer);
  },
};
/* eslint-enable no-restricted-syntax, no-restricted-globals */

/** A fake API with people, devices and sessions in it. */
export function createFakeApi(
  options: SeedOptions = {},
  clock: Clock = machineClock,
  random: Random = seededRandom(7),
): FakeApi {
  const api = new FakeApi(clock, random);
  seed(api.world, options);
  return api;
}
