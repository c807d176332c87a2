import assert from 'node:assert/strict';
import { LogStream, type LogAnswer } from './log-stream.js';
import { serverHello } from './server-message.js';
import { LogProtocolError } from './wire-fields.js';

const frame = (hex: string): Buffer => {
  const message = Buffer.from(hex.replace(/\s/g, ''), 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
};

/** As sudo 1.9.13p3 says it: a ClientHello (field 13) that names it. */
const HELLO = frame('6a12 0a10 7375646f65727320312e392e31337033');
/** Accept (1) with a submit time and expect_iobufs. */
const ACCEPT = frame('0a08 0a04 08011002 1801');
/** Standard output (9) after 1.5 s, terminal output (7) after 0.000000001 s, a window size (11) without delay. */
const [STDOUT, TTYOUT, WINSIZE] = [
  frame('4a0e 0a08 0801 1080cab5ee01 1202 6869'),
  frame('3a06 0a02 1001 1200'),
  frame('5a04 1018 1850'),
];
/** Exit (3) with a value. */
const EXIT = frame('1a02 1003');

function told(stream: LogStream, ...bytes: readonly Buffer[]): LogAnswer[] {
  return bytes.flatMap((part) => stream.take(part));
}
/** The same without what was only heard. */
const answers = (stream: LogStream, ...bytes: readonly Buffer[]): LogAnswer[] =>
  told(stream, ...bytes).filter(({ kind }) => kind !== 'heard');
const heard = (...bytes: readonly Buffer[]): unknown[] =>
  told(new LogStream(), HELLO, ...bytes).flatMap((answer) => (answer.kind === 'heard' ? [answer.message] : []));

describe('what sudo says to its log server', () => {
  it('is answered: a greeting for the hello, and at the end a commit point that is the sum of all delays', () => {
    const stream = new LogStream();
    assert.deepEqual(told(stream, HELLO), [{ kind: 'greet' }]);
    // ServerMessage.log_id (3).
    const logId = frame('1a01 2d');
    assert.deepEqual(answers(stream, ACCEPT, STDOUT, TTYOUT, WINSIZE), [{ kind: 'tell', bytes: logId }]);
    // ServerMessage.commit_point (2): 1 s and 500,000,001 ns.
    const commit = frame('1208 0801 1081cab5ee01');
    assert.deepEqual(answers(stream, EXIT), [{ kind: 'commit', bytes: commit }]);
  });

  it('needs no commit point where sudo waits for none', () => {
    assert.deepEqual(answers(new LogStream(), HELLO, frame('0a06 0a04 08011002'), EXIT), [{ kind: 'greet' }]);
  });

  it('is understood in whatever pieces it comes', () => {
    const all = Buffer.concat([HELLO, ACCEPT, STDOUT, EXIT]);
    const whole = told(new LogStream(), all);
    const stream = new LogStream();
    assert.deepEqual(told(stream, ...[...all].map((byte) => Buffer.from([byte]))), whole);
    assert.equal(whole.length, 6);
    assert.equal(stream.held, 0);
  });

  it('is held as long as it is not whole, and as little as there is of it', () => {
    const stream = new LogStream();
    stream.take(HELLO);
    // Terminal output (7) of 131,072 bytes: 0x20000, in a content of 131,076.
    const large = frame(`3a84 8008 1280 8008 ${'00'.repeat(131_072)}`);
    stream.take(large.subarray(0, 100_000));
    assert.equal(stream.held, 100_000);
    assert.deepEqual(
      stream.take(large.subarray(100_000)).map(({ kind }) => kind),
      ['heard'],
    );
    assert.equal(stream.held, 0);
  });

  it('is heard: events with their delays and bytes', () => {
    assert.deepEqual(heard(STDOUT, TTYOUT, WINSIZE, frame('6207 0a00 1203 545452')), [
      { kind: 'event', delayNs: 1_500_000_000n, event: { kind: 'standard_output', data: Buffer.from('hi') } },
      { kind: 'event', delayNs: 1n, event: { kind: 'terminal_output', data: Buffer.alloc(0) } },
      { kind: 'event', delayNs: 0n, event: { kind: 'window_size', columns: 80, lines: 24 } },
      { kind: 'event', delayNs: 0n, event: { kind: 'suspension', signal: 'TTR' } },
    ]);
  });

  it('is heard: an end with its status, of which eight bits count, signal and error', () => {
    const exit = { kind: 'exit', runNs: 2_000_000_000n, exitStatus: 137, signal: 'KILL', error: 'x' };
    assert.deepEqual(heard(frame('1a10 0a02 0802 108903 2204 4b494c4c 2a01 78')), [{ ...exit, exitStatus: 393 & 255 }]);
    // -1, as an int32 is written.
    assert.deepEqual(heard(frame('1a0b 10ffffffffffffffffff01')), [
      { kind: 'exit', runNs: 0n, exitStatus: 255, signal: '', error: '' },
    ]);
  });

  it('may be a refusal or an alert, which need no answer', () => {
    assert.deepEqual(answers(new LogStream(), HELLO, frame('1202 1200'), frame('2a02 1200')), [{ kind: 'greet' }]);
  });

  it('is greeted as sudo expects it', () => {
    assert.equal(serverHello().toString('hex'), '0000000a0a080a06437572666577');
  });

  const hostile: readonly { readonly name: string; readonly bytes: readonly Buffer[]; readonly problem: RegExp }[] = [
    { name: 'a hello that is too long', bytes: [Buffer.from('00000401', 'hex')], problem: /too long/ },
    { name: 'a message longer than any', bytes: [HELLO, Buffer.from('00200001', 'hex')], problem: /too long/ },
    { name: 'a length of four gigabytes', bytes: [HELLO, Buffer.from('ffffffff', 'hex')], problem: /too long/ },
    { name: 'an empty message', bytes: [frame('')], problem: /one content/ },
    { name: 'two contents in one', bytes: [frame('6a00 6a00')], problem: /one content/ },
    { name: 'an unknown kind', bytes: [frame('7200')], problem: /message 14 is not known/ },
    { name: 'a kind that is a number', bytes: [frame('6801')], problem: /no number/ },
    { name: 'a field longer than its message', bytes: [frame('6a05 0a')], problem: /longer than/ },
    { name: 'a field of 2^63 bytes', bytes: [frame('6a ffffffffffffffffff01')], problem: /longer than/ },
    { name: 'a number without an end', bytes: [frame('6a0b 08 ffffffffffffffffffff')], problem: /too long/ },
    { name: 'a number cut short', bytes: [frame('6a02 08ff')], problem: /cut short/ },
    { name: 'a field numbered 0', bytes: [frame('6a02 0001')], problem: /no valid number/ },
    { name: 'a group, which sudo has none of', bytes: [frame('6a02 0b0c')], problem: /wire type 3/ },
    { name: 'a fixed field, which sudo has none of', bytes: [frame('6a05 0d00000000')], problem: /wire type 5/ },
    {
      name: 'more fields than any message has',
      bytes: [HELLO, frame(`4af4bf01${'1801'.repeat(12_282)}`)],
      problem: /too many/,
    },
    { name: 'a delay that is no time', bytes: [HELLO, frame('3a03 0a0101')], problem: /no valid number/ },
    { name: 'a delay of a number', bytes: [HELLO, frame('3a02 0801')], problem: /no number/ },
    {
      name: 'a delay before the start',
      bytes: [HELLO, frame('3a0d 0a0b 08ffffffffffffffffff01')],
      problem: /makes no sense/,
    },
    { name: 'a delay of 10^9 ns', bytes: [HELLO, frame('3a08 0a06 108094ebdc03')], problem: /makes no sense/ },
    { name: 'anything before the hello', bytes: [ACCEPT], problem: /hello comes first/ },
    { name: 'a second hello', bytes: [HELLO, HELLO], problem: /hello comes first/ },
    { name: 'a fact that is a number', bytes: [HELLO, frame('0a02 1001')], problem: /no number/ },
    {
      name: 'a list of arguments that is a number',
      bytes: [HELLO, frame('0a0d 120b 0a07 72756e61726776 2001')],
      problem: /no number/,
    },
    {
      name: 'an argument that is a number',
      bytes: [HELLO, frame('0a0f 120d 0a07 72756e61726776 2202 0801')],
      problem: /no number/,
    },
    { name: 'a run time that is no time', bytes: [HELLO, frame('1a08 0a06 108094ebdc03')], problem: /makes no sense/ },
    { name: 'output that is a number', bytes: [HELLO, frame('3a02 1001')], problem: /no number/ },
    { name: 'a log to go on with', bytes: [HELLO, frame('2200')], problem: /no log that could go on/ },
  ];
  for (const { name, bytes, problem } of hostile)
    it(`is not ${name}`, () => {
      assert.throws(
        () => told(new LogStream(), ...bytes),
        (error) => error instanceof LogProtocolError && problem.test(error.message),
      );
    });

  it('is refused as not understood, whatever bytes it is made of, and never in another way', () => {
    // A fixed sequence of odd bytes (a linear congruential generator): what fails once, fails again.
    let seed = 1;
    const next = (): number => ((seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >> 16) & 0xff;
    let refused = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const stream = new LogStream();
      const message = Buffer.from(Array.from({ length: next() % 24 }, next));
      if (round % 2 === 0) message[0] = ((1 + (next() % 13)) << 3) | 2;
      try {
        told(stream, HELLO, frame(message.toString('hex')));
      } catch (error) {
        assert.ok(error instanceof LogProtocolError, String(error));
        refused += 1;
      }
    }
    assert.ok(refused > 10_000, String(refused));
  });
});
