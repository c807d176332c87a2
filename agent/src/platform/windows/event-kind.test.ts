import assert from 'node:assert/strict';
import { eventKind } from './event-kind.js';

describe('the kind of an event', () => {
  for (const [line, kind] of [
    ['{"level":"error","message":"a"}', 1],
    ['{"message":"a","level":"warn"}', 2],
    ['{"level":"info","message":"a \\"level\\":\\"error\\""}', 4],
    ['{"level":"debug"}', 4],
    ['no log line', 4],
  ] as const)
    it(`is ${kind} for ${line}`, () => {
      assert.equal(eventKind(line), kind);
    });
});
