import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Notice } from '../notice.js';
import { FileSender } from './file-sender.js';

const notice = (index: number): Notice => {
  const rest = { type: 'a.b', atMs: index, actor: 'server', subject: 's', data: {} };
  return { id: `msg_${index}`, index, ...rest, record: JSON.stringify({ index, text: `zeile ${index} ü` }) };
};
const notices = (from: number, to: number): Notice[] => Array.from({ length: to - from }, (_, at) => notice(from + at));

describe('a file of notices', () => {
  let folder: string;
  let file: string;
  let sender: FileSender;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-notices-'));
    file = path.join(folder, 'notices/audit.jsonl');
    sender = new FileSender(folder, 'audit.jsonl');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const indices = (of = file): number[] =>
    readFileSync(of, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { index: number }).index);

  it('gets each as one line of JSON, in order, readable by its owner alone', async () => {
    await sender.send(notices(0, 3));
    await sender.send(notices(3, 5));
    assert.deepEqual(indices(), [0, 1, 2, 3, 4]);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('can be moved away at any time; what follows goes into a new one', async () => {
    await sender.send(notices(0, 2));
    renameSync(file, `${file}.1`);
    await sender.send(notices(2, 4));
    assert.deepEqual(
      [indices(`${file}.1`), indices()],
      [
        [0, 1],
        [2, 3],
      ],
    );
  });

  it('loses the half line of a crash and no whole one, wherever the crash was, and doubles none', async () => {
    const batch = notices(0, 4);
    await sender.send(batch);
    const whole = readFileSync(file);
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      // After a crash nobody has noted that the batch arrived, so it is sent again.
      await new FileSender(folder, 'audit.jsonl').send(batch);
      assert.deepEqual(readFileSync(file), whole, `cut after ${length} bytes`);
    }
  }).timeout(60_000);

  it('takes a line that only looks like one of these for another', async () => {
    await sender.send(notices(0, 2));
    appendFileSync(file, '{"index":7}\n');
    await sender.send(notices(2, 3));
    assert.deepEqual(indices(), [0, 1, 7, 2]);
  });

  it('is never reached through a symbolic link', async () => {
    const other = path.join(folder, 'other');
    writeFileSync(other, 'x\n');
    mkdirSync(path.dirname(file), { recursive: true });
    symlinkSync(other, file);
    await assert.rejects(sender.send(notices(0, 1)), /ELOOP/);
    assert.equal(readFileSync(other, 'utf8'), 'x\n');
  });

  it('is written by one attempt after the other', async () => {
    await Promise.all([sender.send(notices(0, 50)), sender.send(notices(50, 99)), sender.send(notices(99, 100))]);
    assert.deepEqual(indices(), [...Array(100).keys()]);
  });

  it('that cannot be written is an error, and the next attempt works when it can', async () => {
    mkdirSync(file, { recursive: true });
    await assert.rejects(sender.send(notices(0, 1)), /EISDIR/);
    rmSync(file, { recursive: true });
    await sender.send(notices(0, 1));
    assert.ok(existsSync(file));
    assert.deepEqual(indices(), [0]);
  });
});
