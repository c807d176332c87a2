import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { FuzzTarget } from './target.js';

/** What real sudos have said to a log server. */
const CAPTURED = new URL('../../../agent/src/sudo-log/corpus/', import.meta.url);
/** A text takes up to this much more than its bytes: what is no UTF-8 becomes three bytes of it. */
const MOST_GROWTH = 3;
/** How much an answer's own words may take beside what was said. */
const OWN_WORDS = 64;

/** The log protocol of sudo, as anybody on a device could speak it. */
export const sudoLog: FuzzTarget = {
  name: 'sudo-log',
  modules: ['/agent/dist/sudo-log/'],
  seeds: () =>
    readdirSync(CAPTURED).map((name) =>
      Buffer.from(readFileSync(new URL(name, CAPTURED), 'latin1').replace(/\s/g, ''), 'hex'),
    ),
  open: async () => {
    const { LogProtocolError, LogStream } = await import('@curfew/agent/parts');
    const heard = (parts: readonly Buffer[]): { answers: unknown[]; problem: string } => {
      const [stream, answers] = [new LogStream(), [] as unknown[]];
      try {
        for (const part of parts) answers.push(...stream.take(part));
        const came = parts.reduce((sum, { length }) => sum + length, 0);
        assert.ok(stream.held <= came, `holds ${stream.held} of ${came} bytes`);
        return { answers, problem: '' };
      } catch (error) {
        if (!(error instanceof LogProtocolError)) throw error;
        return { answers: [], problem: error.message };
      }
    };
    return (input) => {
      const whole = heard([input]);
      const room = roomOf(whole.answers);
      const most = input.length * MOST_GROWTH + whole.answers.length * OWN_WORDS;
      assert.ok(room <= most, `takes ${room} for ${input.length} bytes`);
      // However the network cuts it, it says the same.
      const size = 1 + ((input[4] ?? 0) % 37);
      const count = Math.ceil(input.length / size);
      assert.deepEqual(
        heard(Array.from({ length: count }, (_, at) => input.subarray(at * size, (at + 1) * size))),
        whole,
      );
      return whole.problem === '';
    };
  },
};

/** How much of the bytes and texts of answers there is. */
function roomOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Buffer.isBuffer(value)) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce<number>((sum, one) => sum + roomOf(one), 0);
}
