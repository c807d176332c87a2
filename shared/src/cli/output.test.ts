import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { FakeTerminal } from './fake-terminal.js';
import { OUTPUT_FORMATS, printList, printOne, printStreamed, type OutputFormat } from './output.js';
import { lookOf } from './terminal.js';

const HOSTILE = 'a\n- b: "c"\u001b[2J\u202e\u2028\u0085\ufeff\u{1f600} yes';
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028\ufeff]/; // eslint-disable-line no-control-regex -- what must not be there

async function listed(format: OutputFormat, items: readonly string[]): Promise<FakeTerminal> {
  const terminal = new FakeTerminal();
  await printList(terminal, format, {
    items,
    json: (reason) => ({ reason }),
    table: (all) => `${all.length} rows\n`,
    none: 'nothing here',
  });
  return terminal;
}

describe('output', () => {
  it('keeps hostile text apart from structure in every format, and gives it back unchanged', async () => {
    const json = (await listed('json', [HOSTILE, 'x'])).out;
    const jsonl = (await listed('jsonl', [HOSTILE, 'x'])).out;
    const yaml = (await listed('yaml', [HOSTILE, 'x'])).out;
    const expected = [{ reason: HOSTILE }, { reason: 'x' }];
    assert.deepEqual(JSON.parse(json), expected);
    assert.deepEqual(
      jsonl
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      expected,
    );
    assert.deepEqual(parse(yaml), expected);
    for (const text of [json, jsonl, yaml]) assert.doesNotMatch(text, UNSAFE);
  });

  it('says on stderr that a table has no rows, and prints an empty list otherwise', async () => {
    const table = await listed('table', []);
    assert.deepEqual([table.out, table.err], ['', 'nothing here\n']);
    assert.deepEqual([(await listed('json', [])).out, (await listed('jsonl', [])).out], ['[]\n', '']);
    assert.deepEqual(parse((await listed('yaml', [])).out), []);
  });

  it('prints one thing in each format', async () => {
    const outs = await Promise.all(
      OUTPUT_FORMATS.map(async (format) => {
        const terminal = new FakeTerminal();
        await printOne(terminal, format, { json: { a: 1 }, text: () => 'text\n' });
        return terminal.out;
      }),
    );
    assert.deepEqual(outs, ['text\n', '{\n  "a": 1\n}\n', '{"a":1}\n', 'a: 1\n']);
  });

  it('separates the YAML documents of a stream', async () => {
    const terminal = new FakeTerminal();
    await printStreamed(terminal, 'yaml', { a: 1 });
    await printStreamed(terminal, 'jsonl', { a: 1 });
    assert.equal(terminal.out, '---\na: 1\n{"a":1}\n');
  });

  it('paints for a person only, and not with NO_COLOR or on a dumb terminal', () => {
    const tty = { columns: 100, rows: 30 };
    assert.deepEqual(lookOf(new FakeTerminal(tty).stdout, {}), { colour: true, width: 100 });
    assert.deepEqual(lookOf(new FakeTerminal(tty).stdout, { NO_COLOR: '1' }), { colour: false, width: 100 });
    assert.deepEqual(lookOf(new FakeTerminal(tty).stdout, { TERM: 'dumb' }), { colour: false, width: 100 });
    assert.deepEqual(lookOf(new FakeTerminal().stdout, {}), { colour: false });
  });
});
