import { RecordedEvent, Recording, RecordingMode, RecordingState } from '@curfew/proto';
import assert from 'node:assert/strict';
import type { RecordingMode as ModeRecord } from '../policies/policy-spec.js';
import { eventProblem, headFromProto, recordingToProto } from './recording-to-proto.js';

type Given = Parameters<typeof RecordedEvent.fromPartial>[0];
const bytes = Buffer.from('x');

describe('events of recordings', () => {
  const cases: { name: string; event: Given; wrongFor?: readonly ModeRecord[]; problem?: RegExp }[] = [
    { name: 'terminal output', event: { event: { $case: 'terminalOutput', value: bytes } }, wrongFor: ['commands'] },
    { name: 'output to a pipe', event: { event: { $case: 'standardOutput', value: bytes } }, wrongFor: ['commands'] },
    { name: 'errors to a pipe', event: { event: { $case: 'standardError', value: bytes } }, wrongFor: ['commands'] },
    {
      name: 'what was typed',
      event: { event: { $case: 'terminalInput', value: bytes } },
      wrongFor: ['commands', 'output'],
    },
    {
      name: 'input from a pipe',
      event: { event: { $case: 'standardInput', value: bytes } },
      wrongFor: ['commands', 'output'],
    },
    { name: 'another size', event: { event: { $case: 'windowSize', value: { columns: 1, lines: 65_535 } } } },
    { name: 'a suspension', event: { event: { $case: 'suspension', value: 'TSTP' } } },
    { name: 'a gap', event: { delay: { seconds: 5n, nanos: 1 }, event: { $case: 'lostBytes', value: 5n } } },
    { name: 'nothing', event: {}, problem: /none/ },
    {
      name: 'a negative delay',
      event: { delay: { seconds: -1n, nanos: 0 }, event: { $case: 'lostBytes', value: 5n } },
      problem: /time/,
    },
    {
      name: 'a delay of a century',
      event: { delay: { seconds: 3_155_760_000n, nanos: 0 }, event: { $case: 'lostBytes', value: 5n } },
      problem: /time/,
    },
    {
      name: 'a delay with more nanoseconds than a second has',
      event: { delay: { seconds: 0n, nanos: 1_000_000_000 }, event: { $case: 'lostBytes', value: 5n } },
      problem: /time/,
    },
    { name: 'a long signal', event: { event: { $case: 'suspension', value: 'x'.repeat(33) } }, problem: /signal/ },
    { name: 'a negative gap', event: { event: { $case: 'lostBytes', value: -1n } }, problem: /nothing/ },
    {
      name: 'a size below nothing',
      event: { event: { $case: 'windowSize', value: { columns: -1, lines: 1 } } },
      problem: /size/,
    },
    {
      name: 'a huge size',
      event: { event: { $case: 'windowSize', value: { columns: 1, lines: 65_536 } } },
      problem: /size/,
    },
  ];
  for (const { name, event, wrongFor = [], problem } of cases)
    it(`are ${problem === undefined ? 'taken' : 'refused'}: ${name}`, () => {
      const message = Buffer.from(RecordedEvent.encode(RecordedEvent.fromPartial(event)).finish());
      for (const mode of ['commands', 'output', 'input_and_output'] as const) {
        const said = eventProblem(mode)(message) ?? '';
        const expected = problem ?? (wrongFor.includes(mode) ? /not recorded of this session/ : /^$/);
        assert.match(said, expected, mode);
      }
    });

  it('are refused where they are no message at all', () => {
    for (const garbage of ['ff', '12', '1205', '0a'])
      assert.match(eventProblem('output')(Buffer.from(garbage, 'hex')) ?? '', /none/, garbage);
  });
});

describe('what is known of a recording', () => {
  it('is shown as the device has said it', () => {
    const given = Recording.fromPartial({
      id: `rec-${'a'.repeat(20)}`,
      sessionId: `ses-${'b'.repeat(20)}`,
      command: '/bin/id',
      arguments: ['id', '\u001b[2J'],
      argumentsCut: true,
      workingDirectory: '/',
      terminal: '/dev/pts/3',
      runAsUser: 'root',
      columns: 80,
      lines: 24,
      startTime: new Date(1_700_000_000_123),
      state: RecordingState.REFUSED,
      runTime: { seconds: 1n, nanos: 500_000_000 },
      exitStatus: 3,
      signal: 'KILL',
      error: 'no',
      mode: RecordingMode.INPUT_AND_OUTPUT,
      lostBytes: 7n,
    });
    const stored = { head: headFromProto(given), deviceId: 'dev-1', size: 5, isOpen: false, isToEnd: false };
    const deleteTime = new Date(1_800_000_000_000);
    assert.deepEqual(recordingToProto(stored, deleteTime.getTime()), { ...given, size: 5n, deleteTime });
    assert.equal(recordingToProto(stored, null).deleteTime, undefined);
  });
});
