import assert from 'node:assert/strict';
import type { BrokenPromise } from './connector-contract.js';

/** By faults of broken-connectors.ts, how the promise begins that each of them breaks first of all. */
const BREAKS: Readonly<Record<string, string>> = {
  lostRemove: 'takes it away from the one who is meant',
  wrongSubject: 'gives the resource to the one who is meant',
  addsTwice: 'gives twice as once',
};

/** Whether the contract has caught a fault by the very promise that it breaks, and not for another reason. */
export function assertIsCaught(fault: string, broken: readonly BrokenPromise[]): void {
  const beginning = BREAKS[fault];
  assert.ok(beginning, `nothing is known of ${fault}`);
  const caught = broken.find(({ title }) => title.startsWith(beginning));
  assert.ok(caught?.error instanceof assert.AssertionError, `not caught: ${broken.map(String).join('; ')}`);
  // What the fault does not touch is as sound as before.
  for (const sound of ['says what the resource is', 'finds people'])
    assert.ok(!broken.some(({ title }) => title.startsWith(sound)), sound);
}
