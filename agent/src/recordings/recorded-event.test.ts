import { RecordedEvent } from '@curfew/proto';
import assert from 'node:assert/strict';
import { eventFrames, wholeFrames } from './recorded-event.js';

/** Frames as the generated code reads them. */
function decoded(bytes: Buffer): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32BE(at))
    events.push(RecordedEvent.decode(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at))));
  return events;
}

const DATA_KINDS = [
  ['terminal_output', 'terminalOutput'],
  ['standard_output', 'standardOutput'],
  ['standard_error', 'standardError'],
  ['terminal_input', 'terminalInput'],
  ['standard_input', 'standardInput'],
] as const;

describe('frames of recorded events', () => {
  for (const [kind, name] of DATA_KINDS)
    it(`are what the schema says: ${kind}`, () => {
      const [event] = decoded(eventFrames(2_000_000_001n, { kind, data: Buffer.from([0, 255]) }));
      assert.deepEqual(event?.delay, { seconds: 2n, nanos: 1 });
      assert.equal(event.event?.$case, name);
      assert.deepEqual(Buffer.from(event.event.value as Uint8Array), Buffer.from([0, 255]));
    });

  it('are what the schema says: sizes, stops, and what was lost', () => {
    const frames = [
      eventFrames(0n, { kind: 'window_size', columns: 80, lines: 0 }),
      eventFrames(0n, { kind: 'suspension', signal: 'TSTP' }),
      eventFrames(0n, { kind: 'lost_bytes', count: 2 ** 40 }),
    ];
    assert.deepEqual(
      decoded(Buffer.concat(frames)).map(({ event }) => event),
      [
        { $case: 'windowSize', value: { columns: 80, lines: 0 } },
        { $case: 'suspension', value: 'TSTP' },
        { $case: 'lostBytes', value: 2n ** 40n },
      ],
    );
  });

  it('are short: long output becomes several, the first of which has the delay', () => {
    const data = Buffer.from(Array.from({ length: 200_000 }, (_, at) => at % 251));
    const bytes = eventFrames(5n, { kind: 'terminal_output', data });
    const events = decoded(bytes);
    assert.deepEqual(
      events.map(({ delay }) => delay?.nanos),
      [5, 0, 0, 0],
    );
    const all = events.map(({ event }) => Buffer.from(event?.value as Uint8Array));
    assert.ok(Buffer.concat(all).equals(data));
    assert.equal(wholeFrames(bytes), bytes.length);
  });

  it('are none for output without a byte, and have no delay that the schema does not', () => {
    assert.equal(eventFrames(1n, { kind: 'terminal_output', data: Buffer.alloc(0) }).length, 0);
    const [event] = decoded(eventFrames(2n ** 100n, { kind: 'suspension', signal: 'STOP' }));
    assert.deepEqual(event?.delay, { seconds: 315_360_000n, nanos: 0 });
  });

  it('are counted as whole up to the first that is cut short, or was never written', () => {
    const one = eventFrames(0n, { kind: 'terminal_output', data: Buffer.from('hello') });
    const two = Buffer.concat([one, one]);
    for (let length = one.length; length < two.length; length += 1)
      assert.equal(wholeFrames(two.subarray(0, length)), one.length, String(length));
    assert.equal(wholeFrames(Buffer.concat([two, Buffer.alloc(4096)])), two.length);
    assert.equal(wholeFrames(Buffer.concat([two, Buffer.alloc(80_000, 255)])), two.length);
  });
});
