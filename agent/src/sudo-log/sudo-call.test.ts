import assert from 'node:assert/strict';
import { sudoCallOf, type SudoCall } from './sudo-call.js';
import { bytesField, numberField } from './wire-writing.js';
import { wireFields } from './wire-fields.js';

const fact = (key: string, value: Buffer): Buffer =>
  bytesField(2, Buffer.concat([bytesField(1, Buffer.from(key)), value]));
const text = (key: string, value: Buffer | string): Buffer => fact(key, bytesField(3, Buffer.from(value)));
const list = (key: string, values: readonly (Buffer | string)[]): Buffer =>
  fact(key, bytesField(4, Buffer.concat(values.map((value) => bytesField(1, Buffer.from(value))))));
const read = (...facts: readonly Buffer[]): SudoCall => sudoCallOf(wireFields(Buffer.concat(facts)));

describe('the facts of a call of sudo', () => {
  it('are no longer than a recording takes them', () => {
    const long = 'x'.repeat(100_000);
    const call = read(
      ...['command', 'submitcwd', 'ttyname', 'runuser'].map((key) => text(key, long)),
      fact('columns', numberField(2, 2n ** 63n)),
      fact('lines', numberField(2, 50n)),
    );
    const lengths = [call.command, call.workingDirectory, call.terminal, call.runAsUser].map(({ length }) => length);
    assert.deepEqual(lengths, [4096, 4096, 256, 256]);
    assert.deepEqual([call.columns, call.lines], [65_535, 50]);
  });

  it('have a size only with a terminal', () => {
    const { columns, lines } = read(fact('columns', numberField(2, 80n)), fact('lines', numberField(2, 24n)));
    assert.deepEqual([columns, lines], [0, 0]);
  });

  const arguments_: readonly {
    readonly name: string;
    readonly given: readonly string[];
    readonly kept: number;
    readonly cut: boolean;
  }[] = [
    { name: 'as many as are kept', given: Array(1000).fill('a') as string[], kept: 1000, cut: false },
    { name: 'one too many', given: Array(1001).fill('a') as string[], kept: 1000, cut: true },
    { name: 'a hundred thousand', given: Array(100_000).fill('a') as string[], kept: 1000, cut: true },
    { name: 'one that is too long', given: ['x'.repeat(5000), 'y'], kept: 2, cut: true },
    {
      name: 'more than there is room for together',
      given: Array(40).fill('x'.repeat(4000)) as string[],
      kept: 17,
      cut: true,
    },
  ];
  for (const { name, given, kept, cut } of arguments_)
    it(`have arguments: ${name}`, () => {
      const call = read(list('runargv', given));
      assert.deepEqual([call.arguments.length, call.argumentsCut], [kept, cut]);
      assert.ok(call.arguments.every(({ length }) => length <= 4096));
      assert.ok(call.arguments.join('').length <= 65_536);
    });

  it('are text that every ledger stores, whatever bytes they are', () => {
    const call = read(
      text('command', Buffer.from('a\0b\u{1f600}')),
      list('runargv', [Buffer.from([0xff, 0xfe, 0x41])]),
    );
    assert.equal(call.command, 'a\u{fffd}b\u{1f600}');
    assert.deepEqual(call.arguments, ['\u{fffd}\u{fffd}A']);
    // Half of a character that takes two is none.
    const { command } = read(text('command', `${'x'.repeat(4095)}\u{1f600}`));
    assert.equal(command, `${'x'.repeat(4095)}\u{fffd}`);
  });

  it('are counted for what is not of interest too, and not looked at', () => {
    const environment = list('runenv', Array(50_000).fill('A=b') as string[]);
    assert.equal(read(environment, text('command', '/bin/true')).command, '/bin/true');
    assert.equal(read(...Array<Buffer>(300).fill(text('x', 'y')), text('command', '/bin/true')).command, '');
  });
});
