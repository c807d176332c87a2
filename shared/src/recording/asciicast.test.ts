import assert from 'node:assert/strict';
import fc from 'fast-check';
import { asciicastHeader, AsciicastWriter, type AsciicastEvent, type RecordedMoment } from './asciicast.js';

const output = (bytes: Uint8Array, delayMs = 0): RecordedMoment => ({ kind: 'terminal_output', bytes, delayMs });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const shown = (events: readonly AsciicastEvent[], code: string): string =>
  events.flatMap(([, one, data]) => (one === code ? [data] : [])).join('');

function written(moments: readonly RecordedMoment[]): AsciicastEvent[] {
  const writer = new AsciicastWriter();
  return [...moments.flatMap((moment) => writer.add(moment)), ...writer.end()];
}

describe('asciicast', () => {
  it('holds every valid text byte for byte, wherever it was cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 200 }),
        fc.array(fc.nat(30), { maxLength: 40 }),
        (text, cuts) => {
          const all = bytes(text);
          const moments: RecordedMoment[] = [];
          let at = 0;
          for (const cut of cuts) {
            moments.push(output(all.subarray(at, at + cut)));
            at += cut;
          }
          moments.push(output(all.subarray(at)));
          assert.deepEqual(bytes(shown(written(moments), 'o')), all);
        },
      ),
    );
  }).timeout(60_000);

  it('keeps a byte order mark, NUL and escape sequences', () => {
    const text = '\ufeff\u0000\u001b[2J\u001b]52;c;eA==\u0007';
    assert.equal(shown(written([output(bytes(text))]), 'o'), text);
  });

  it('shows what is no UTF-8 as U+FFFD, at the end as well', () => {
    assert.deepEqual(written([output(Uint8Array.of(0x41, 0xff, 0x42), 5), output(Uint8Array.of(0xe2, 0x82), 5)]), [
      [0.005, 'o', 'A\ufffdB'],
      [0.01, 'o', '\ufffd'],
    ]);
  });

  it('tells streams apart where each is in the middle of a character', () => {
    const euro = bytes('€');
    const moments: RecordedMoment[] = [
      { kind: 'standard_output', bytes: euro.subarray(0, 1), delayMs: 1 },
      { kind: 'standard_error', bytes: bytes('e'), delayMs: 1 },
      { kind: 'standard_output', bytes: euro.subarray(1), delayMs: 1 },
      { kind: 'terminal_input', bytes: bytes('x'), delayMs: 1 },
    ];
    assert.deepEqual(written(moments), [
      [0.002, 'o', 'e'],
      [0.003, 'o', '€'],
      [0.004, 'i', 'x'],
    ]);
  });

  it('begins lines of pipes at the left, and leaves those of terminals alone', () => {
    const pipe = (text: string): RecordedMoment => ({ kind: 'standard_output', bytes: bytes(text), delayMs: 0 });
    assert.equal(shown(written([pipe('a\nb\r'), pipe('\nc\r\n\n')]), 'o'), 'a\r\nb\r\nc\r\n\r\n');
    assert.equal(shown(written([output(bytes('a\nb'))]), 'o'), 'a\nb');
  });

  it('has sizes, suspensions and gaps, each at its time, to the microsecond', () => {
    const moments: RecordedMoment[] = [
      { kind: 'window_size', columns: 120, lines: 40, delayMs: 0.001 },
      { kind: 'suspension', signal: 'TSTP', delayMs: 1000 },
      { kind: 'suspension', signal: 'CONT', delayMs: 1000 },
      { kind: 'lost_bytes', count: 12, delayMs: 0 },
    ];
    assert.deepEqual(written(moments), [
      [0.000001, 'r', '120x40'],
      [1.000001, 'm', 'suspended: TSTP'],
      [2.000001, 'm', 'goes on'],
      [2.000001, 'm', '12 bytes were not kept'],
    ]);
  });

  it('says how large a screen is, also where there was no terminal', () => {
    const head = { columns: 0, lines: 0, startedAtMs: 1_700_000_000_999, command: '/bin/ls -l' };
    assert.deepEqual(asciicastHeader(head), {
      version: 2,
      width: 80,
      height: 24,
      timestamp: 1_700_000_000,
      command: '/bin/ls -l',
    });
  });
});
