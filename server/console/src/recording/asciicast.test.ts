import assert from 'node:assert/strict';
import type { RecordedEventJson, RecordingJson } from '../gen/api.js';
import { CastConverter, castFile, type CastEvent } from './asciicast.js';
import { commandLine } from './command-line.js';

const base64 = (bytes: string | readonly number[]): string =>
  (typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes)).toString('base64');

function convert(events: readonly RecordedEventJson[]): CastEvent[] {
  const converter = new CastConverter();
  return [...events.flatMap((event) => converter.push(event)), ...converter.end()];
}

const data = (events: readonly RecordedEventJson[]): string[] => convert(events).map((event) => event.data);

describe('a recording as an asciicast', () => {
  it('adds up the delays to the nanosecond', () => {
    const events = Array.from({ length: 1_000_000 }, () => ({ delay: '0.000000001s', suspension: 'TSTP' }));
    assert.equal(convert(events).at(-1)?.atMs, 1, 'a million of them are a millisecond');
    const [first, second] = convert([
      { delay: '1.5s', terminalOutput: base64('a') },
      { delay: '0.000001s', terminalOutput: base64('b') },
    ]);
    assert.deepEqual([first?.atMs, second?.atMs], [1_500, 1_500.001]);
  }).timeout(60_000);

  it('counts no delay for what does not say one, and for what is none', () => {
    const events = [{ suspension: 'CONT' }, { delay: '-3s', suspension: 'CONT' }, { delay: 'x', suspension: 'CONT' }];
    assert.deepEqual(
      convert(events).map(({ atMs }) => atMs),
      [0, 0, 0],
    );
  });

  it('keeps a letter whole that is cut between two events, and shows it when its last byte comes', () => {
    const [first = 0, second = 0, third = 0] = Buffer.from('✓');
    assert.deepEqual(
      convert([
        { delay: '1s', terminalOutput: base64([0x61, first]) },
        { delay: '1s', terminalOutput: base64([second]) },
        { delay: '1s', terminalOutput: base64([third, 0x62]) },
      ]),
      [
        { atMs: 1_000, code: 'o', data: 'a' },
        { atMs: 3_000, code: 'o', data: '✓b' },
      ],
    );
  });

  it('keeps the streams apart while it waits for the rest of a letter', () => {
    const [first = 0, ...rest] = Buffer.from('é');
    assert.deepEqual(
      data([
        { terminalOutput: base64([first]) },
        { terminalInput: base64('x') },
        { standardError: base64('e') },
        { terminalOutput: base64(rest) },
      ]),
      ['x', 'e', 'é'],
    );
  });

  it('shows bytes that are no UTF-8 as replacement characters, at the end too, and keeps a byte order mark', () => {
    assert.deepEqual(data([{ terminalOutput: base64([0x61, 0xff, 0xfe, 0x62]) }]), ['a\ufffd\ufffdb']);
    assert.deepEqual(data([{ terminalOutput: base64([0xe2, 0x9c]) }]), ['\ufffd']);
    assert.deepEqual(data([{ terminalOutput: base64([0xef, 0xbb, 0xbf, 0x61]) }]), ['\ufeffa']);
  });

  it('begins the lines of pipes at the left, and leaves those of a terminal as they are', () => {
    assert.deepEqual(data([{ standardOutput: base64('a\nb\r\nc') }]), ['a\r\nb\r\nc']);
    assert.deepEqual(data([{ standardOutput: base64('a\r') }, { standardOutput: base64('\nb\n') }]), [
      'a\r',
      '\nb\r\n',
    ]);
    assert.deepEqual(data([{ terminalOutput: base64('a\nb') }]), ['a\nb']);
  });

  it('tells sizes, what is missing and suspensions', () => {
    assert.deepEqual(
      convert([{ windowSize: { columns: 100, lines: 30 } }, { lostBytes: '4096' }, { suspension: 'TSTP' }]),
      [
        { atMs: 0, code: 'r', data: '100x30' },
        { atMs: 0, code: 'm', data: '4096 bytes were not kept' },
        { atMs: 0, code: 'm', data: 'suspended: TSTP' },
      ],
    );
  });

  it('counts the time of what it does not know', () => {
    assert.deepEqual(convert([{ delay: '1s' }, { delay: '1s' }, { delay: '1s', terminalOutput: base64('a') }]), [
      { atMs: 3_000, code: 'o', data: 'a' },
    ]);
  });

  it('is a line of JSON for the head and for each event', () => {
    const recording: RecordingJson = {
      command: '/bin/bash',
      arguments: ['-bash', '-c', "echo 'hi'\u2028"],
      startTime: '2026-11-27T10:24:00.500Z',
      columns: 100,
      lines: 30,
    };
    const events = convert([
      { delay: '0.1234567s', terminalOutput: base64('\u001b[1m"\r\n') },
      { delay: '1s', terminalInput: base64('\u0003') },
    ]);
    assert.equal(
      castFile(recording, events),
      `{"version":2,"width":100,"height":30,"timestamp":1795775040,"command":"/bin/bash -c 'echo '\\\\''hi'\\\\''\u2028'"}\n` +
        `[0.123457,"o","\\u001b[1m\\"\\r\\n"]\n` +
        `[1.123457,"i","\\u0003"]\n`,
    );
  });

  it('has the size of a common terminal when the command had none', () => {
    assert.equal(
      castFile({ columns: 0, startTime: '1970-01-01T00:00:07Z' }, []),
      '{"version":2,"width":80,"height":24,"timestamp":7}\n',
    );
  });
});

describe('a command line', () => {
  it('is what one would type', () => {
    assert.equal(
      commandLine({ command: '/bin/ls', arguments: ['ls', '-l', 'a b', "it's"] }),
      `/bin/ls -l 'a b' 'it'\\''s'`,
    );
    assert.equal(commandLine({ arguments: ['ls', ''] }), "ls ''");
    assert.equal(commandLine({ command: '/bin/ls', arguments: ['ls', 'x'], argumentsCut: true }), '/bin/ls x …');
  });
});
