import { RecordedEvent, Recording } from '@curfew/proto';
import assert from 'node:assert/strict';
import { framed, framesOf } from './frames.js';
import type { FuzzTarget } from './target.js';

const encoded = (event: Parameters<typeof RecordedEvent.fromPartial>[0]): Uint8Array =>
  RecordedEvent.encode(RecordedEvent.fromPartial(event)).finish();
const SECOND = { seconds: 1n, nanos: 5_000_000 };
const EURO = Buffer.from('€');

/** The streams that come out under each code. */
const STREAMS = {
  o: ['terminalOutput', 'standardOutput', 'standardError'],
  i: ['terminalInput', 'standardInput'],
} as const;

/** Every line that a file of the form has, as docs.asciinema.org describes version 2. */
function readCast(file: string): {
  readonly head: Record<string, unknown>;
  readonly events: [number, string, string][];
} {
  assert.ok(file.endsWith('\n'));
  const [head, ...events] = file
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { head: head as Record<string, unknown>, events: events as [number, string, string][] };
}

/** What one stream's bytes are as text: with U+FFFD for what is no UTF-8, and whole lines from pipes. */
function textOf(events: readonly RecordedEvent[], stream: string): string {
  const bytes = events.flatMap(({ event }) => (event?.$case === stream ? [event.value as Uint8Array] : []));
  const text = Buffer.concat(bytes).toString('utf8');
  return stream.startsWith('standard') && stream !== 'standardInput' ? text.replace(/(?<!\r)\n/g, '\r\n') : text;
}

/** Fails when a file does not hold what was recorded, in its order and at its time. */
function assertHolds(file: string, events: readonly RecordedEvent[]): void {
  const cast = readCast(file);
  assert.deepEqual([cast.head['version'], cast.head['width'], cast.head['height']], [2, 80, 24]);
  let before = 0;
  for (const [at, code] of cast.events) {
    assert.ok(Number.isFinite(at) && at >= before, `${at} after ${before}`);
    assert.match(code, /^[oirm]$/);
    before = at;
  }
  const wholeMs = events.reduce(
    (sum, { delay }) => sum + (delay ? Number(delay.seconds) * 1e3 + delay.nanos / 1e6 : 0),
    0,
  );
  assert.ok(before <= wholeMs / 1e3 + 0.001, `${before} s of ${wholeMs} ms`);
  for (const code of ['o', 'i'] as const) {
    const shown = cast.events.flatMap(([, one, data]) => (one === code ? [data] : [])).join('');
    const texts = STREAMS[code].map((stream) => textOf(events, stream)).filter((text) => text !== '');
    if (texts.length === 1) assert.equal(shown, texts[0]);
    else assert.equal(shown.length, texts.join('').length);
  }
}

/** Recordings as files for players: both programs that write them write the same, and a reader finds what was recorded. */
export const asciicasts: FuzzTarget = {
  name: 'asciicasts',
  modules: ['/shared/dist/recording/asciicast', '/server/dist/cli/recorded-moment', '/console/build/src/recording/'],
  seeds: () =>
    [
      [
        { delay: SECOND, event: { $case: 'terminalOutput', value: EURO.subarray(0, 1) } },
        { event: { $case: 'terminalOutput', value: EURO.subarray(1) } },
      ],
      [
        { event: { $case: 'standardOutput', value: Buffer.from('a\n\r') } },
        { event: { $case: 'standardOutput', value: Buffer.from('\n\u009b\u2028') } },
      ],
      [
        { event: { $case: 'terminalInput', value: Buffer.from('id\r') } },
        { delay: SECOND, event: { $case: 'windowSize', value: { columns: 1, lines: 2 } } },
      ],
      [
        { event: { $case: 'suspension', value: 'TSTP' } },
        { event: { $case: 'lostBytes', value: 7n } },
        { event: { $case: 'standardError', value: EURO } },
      ],
    ].map((events) => framed(events.map((event) => encoded(event as Parameters<typeof encoded>[0])))),
  open: async () => {
    const { asciicast, eventProblem, momentFromProto } = await import('@curfew/server/parts');
    const { protoJson } = await import('@curfew/shared/cli');
    const { CastConverter, castFile } = await import('@curfew/console/parts');
    const problemOf = eventProblem('input_and_output');
    const recording = Recording.fromPartial({ command: '/bin/x', arguments: ['x', 'a b'], startTime: new Date(1_000) });
    return async (input) => {
      const taken = framesOf(input).filter((frame) => problemOf(frame) === undefined);
      const events = taken.map((frame) => RecordedEvent.decode(frame));
      let fromTool = '';
      const replayer = asciicast((part) => {
        fromTool += part as string;
        return Promise.resolve();
      });
      await replayer.begin?.(recording);
      const converter = new CastConverter();
      const cast = [];
      for (const event of events) {
        const moment = momentFromProto(event);
        assert.ok(moment !== undefined);
        await replayer.add(moment);
        cast.push(...converter.push(protoJson(RecordedEvent.toJSON(event)) as never));
      }
      await replayer.end();
      const fromConsole = castFile(protoJson(Recording.toJSON(recording)) as never, [...cast, ...converter.end()]);
      assertHolds(fromTool, events);
      assert.deepEqual(readCast(fromConsole), readCast(fromTool));
      return events.length > 0;
    };
  },
};
