import { RecordedEvent } from '@curfew/proto';
import { ManualClock, SECOND, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RecordingTerms } from '../ports/privilege-host.js';
import type { SudoEvent } from '../sudo-log/client-message.js';
import { Recorder } from './recorder.js';
import { RecordingSpool } from './recording-spool.js';
import { SpoolFolder } from './spool-folder.js';
import { SpoolReader, type WaitingRecording } from './spool-reader.js';

const SESSION = `ses-${'a'.repeat(20)}`;
const ID = `rec-${'a'.repeat(20)}`;
const OTHER = `rec-${'b'.repeat(20)}`;
const MIB = 1024 * 1024;
const CALL = {
  command: '/usr/bin/vi',
  arguments: ['vi', '/etc/hosts'],
  argumentsCut: false,
  workingDirectory: '/home/alice',
  terminal: '/dev/pts/3',
  runAsUser: 'root',
  columns: 80,
  lines: 24,
};
const EXIT = { runNs: 1_500_000_000n, exitStatus: 3, signal: '', error: '' };
const OUTPUT: RecordingTerms = { mode: 'output', required: false };
const shown = (text: string | Buffer): SudoEvent => ({ kind: 'terminal_output', data: Buffer.from(text) });
const typed = (text: string): SudoEvent => ({ kind: 'terminal_input', data: Buffer.from(text) });

describe('a recording', () => {
  let scratch: string;
  let folder: SpoolFolder;
  let spool: RecordingSpool;
  let reader: SpoolReader;
  let clock: ManualClock;
  let failures: number;

  beforeEach(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'curfew-recordings-'));
    folder = new SpoolFolder(scratch);
    [reader, clock, failures] = [new SpoolReader(folder), new ManualClock(), 0];
    await open(64 * MIB);
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  async function open(limit: number): Promise<void> {
    spool = new RecordingSpool({ folder, limit, logger: silentLogger });
    await spool.recover();
  }
  function recorder(terms = OUTPUT, id = ID): Recorder {
    const failed = (): void => void (failures += 1);
    const over = (): undefined => undefined;
    return new Recorder({ id, sessionId: SESSION, terms, spool, clock, logger: silentLogger, failed, over });
  }
  const waiting = async (id = ID): Promise<WaitingRecording | undefined> =>
    (await reader.list()).find(({ head }) => head.id === id);
  const head = async (id = ID): Promise<WaitingRecording['head'] | undefined> => (await waiting(id))?.head;
  /** The events that are there, read in parts of so many bytes. */
  async function bytes(id = ID, atOnce = 70_000): Promise<Buffer> {
    const parts: Buffer[] = [];
    let at = (await waiting(id))?.from ?? 0;
    for (let part = await reader.read(id, at, atOnce); part.length > 0; part = await reader.read(id, at, atOnce)) {
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }
  async function events(id = ID): Promise<string[]> {
    const all = await bytes(id);
    const found: string[] = [];
    for (let at = 0; at < all.length; at += 4 + all.readUInt32BE(at)) {
      const { delay, event } = RecordedEvent.decode(all.subarray(at + 4, at + 4 + all.readUInt32BE(at)));
      const { $case: kind = '', value = '' } = event ?? {};
      const text = value instanceof Uint8Array ? Buffer.from(value).toString() : inWords(value);
      found.push(`${Number(delay?.seconds ?? 0) * 1000 + (delay?.nanos ?? 0) / 1e6} ${kind} ${text}`);
    }
    return found;
  }

  it('has a head while the command runs, its events soon, and its end when sudo has said it', async () => {
    const recording = recorder();
    recording.begin(CALL);
    await recording.drained();
    const facts = { id: ID, sessionId: SESSION, mode: 'output', startMs: clock.now(), ...CALL, error: '' };
    assert.deepEqual(await head(), { ...facts, state: 'running', exitStatus: 0, signal: '', lostBytes: 0 });
    recording.event(1_000_000n, shown('one'));
    recording.event(2_000_000n, shown('two'));
    assert.deepEqual(await events(), []);
    clock.advance(SECOND);
    await recording.drained();
    assert.deepEqual(await events(), ['1 terminalOutput one', '2 terminalOutput two']);
    recording.event(3_000_000n, { kind: 'suspension', signal: 'TSTP' });
    await recording.end(EXIT);
    assert.deepEqual((await events()).slice(2), ['3 suspension TSTP']);
    const ended = { state: 'complete', runTimeMs: 1500, exitStatus: 3, signal: '', lostBytes: 0 };
    assert.deepEqual(await head(), { ...facts, ...ended });
    await recording.end();
    assert.equal((await head())?.state, 'complete', 'only the first end counts');
  });

  it('is cut short when sudo goes without a word, and is all there is of a command that sudo refused', async () => {
    const [one, two] = [recorder(), recorder(OUTPUT, OTHER)];
    one.begin(CALL);
    one.event(0n, shown('x'));
    await one.end();
    two.refuse(CALL, 'command not allowed');
    await two.end();
    assert.deepEqual(
      [(await head())?.state, (await head())?.runTimeMs, await events()],
      ['cut_short', undefined, ['0 terminalOutput x']],
    );
    const refused = await head(OTHER);
    assert.deepEqual([refused?.state, refused?.error], ['refused', 'command not allowed']);
  });

  const MODES: readonly { readonly mode: RecordingTerms['mode']; readonly kept: readonly string[] }[] = [
    { mode: 'commands', kept: [] },
    { mode: 'output', kept: ['2 terminalOutput Password: ', '5 standardError x'] },
    {
      mode: 'input_and_output',
      kept: ['1 standardInput pipe', '1 terminalOutput Password: ', '3 terminalInput \r', '2 standardError x'],
    },
  ];
  for (const { mode, kept } of MODES)
    it(`keeps what its terms say, in its time, and no password: ${mode}`, async () => {
      const recording = recorder({ mode, required: false });
      recording.begin(CALL);
      recording.event(1_000_000n, { kind: 'standard_input', data: Buffer.from('pipe') });
      recording.event(1_000_000n, shown('Password: '));
      recording.event(1_000_000n, typed('hun'));
      recording.event(1_000_000n, typed('ter2'));
      recording.event(1_000_000n, typed('\r'));
      recording.event(2_000_000n, { kind: 'standard_error', data: Buffer.from('x') });
      await recording.end(EXIT);
      assert.deepEqual(await events(), kept);
    });

  it('is kept byte for byte over many files, of which those go that the server has', async () => {
    const recording = recorder();
    recording.begin(CALL);
    const written: Buffer[] = [];
    for (let round = 0; round < 100; round += 1) {
      const data = Buffer.alloc(50_000, round);
      written.push(data);
      recording.event(0n, shown(data));
      await recording.drained();
    }
    const all = await bytes(ID, 100_000);
    assert.ok((await bytes(ID, 1)).equals(all), 'read one by one');
    const shownBytes: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += 4 + all.readUInt32BE(at)) {
      const { event } = RecordedEvent.decode(all.subarray(at + 4, at + 4 + all.readUInt32BE(at)));
      if (event?.$case === 'terminalOutput') shownBytes.push(event.value);
    }
    assert.ok(Buffer.concat(shownBytes).equals(Buffer.concat(written)));
    await reader.dropBefore(ID, 3 * MIB);
    const { from = 0, end = 0 } = (await waiting()) ?? {};
    assert.ok(from > MIB && from <= 3 * MIB, String(from));
    assert.equal(end, all.length);
    assert.ok((await bytes()).equals(all.subarray(from)));
    await recording.end(EXIT);
    await reader.dropBefore(ID, Infinity);
    assert.equal(
      (await waiting())?.end,
      all.length,
      'the newest file stays, for its end is what the server is compared with',
    );
    await reader.remove(ID);
    assert.deepEqual(await reader.list(), []);
  });

  it('leaves out what there is no room for, says where and how much, and goes on when there is room again', async () => {
    await open(MIB);
    const [first, second] = [recorder(), recorder(OUTPUT, OTHER)];
    first.begin(CALL);
    for (let kib = 0; kib < 800; kib += 1) first.event(0n, shown(Buffer.alloc(1024, 1)));
    await first.end(EXIT);
    second.begin(CALL);
    second.event(1_000_000n, shown('kept'));
    await second.drained();
    second.event(2_000_000n, shown(Buffer.alloc(200 * 1024)));
    await second.drained();
    second.event(3_000_000n, shown(Buffer.alloc(300 * 1024)));
    await second.drained();
    assert.equal((await head(OTHER))?.lostBytes, 200 * 1024, 'it is told when it begins');
    assert.equal(await spool.hasRoom(), true);
    await reader.remove(ID);
    second.event(4_000_000n, shown('again'));
    await second.end(EXIT);
    assert.deepEqual(await events(OTHER), [
      '1 terminalOutput kept',
      `5 lostBytes ${500 * 1024}`,
      '4 terminalOutput again',
    ]);
    assert.deepEqual([(await head(OTHER))?.lostBytes, failures], [500 * 1024, 0]);
  });

  it('stays within the bound together, however many record at a time, and says at its end what was lost before', async () => {
    await open(4 * MIB);
    const ids = Array.from({ length: 100 }, (_, at) => `rec-${String(at).padStart(20, '0')}`);
    const all = ids.map((id) => recorder(OUTPUT, id));
    for (const one of all) {
      one.begin(CALL);
      one.event(0n, shown(Buffer.alloc(100_000)));
    }
    await Promise.all(all.map((one) => one.drained()));
    await Promise.all(all.map((one) => one.end(EXIT)));
    const found = await reader.list();
    const sizes = await Promise.all(found.map(({ head: { id } }) => folder.size(id)));
    const used = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(used <= 4 * MIB && used > 3 * MIB, String(used));
    assert.equal(found.length, 100);
    const lost = found.filter(({ head: { lostBytes } }) => lostBytes > 0);
    assert.ok(lost.length > 50 && lost.length < 100, String(lost.length));
    for (const { head } of lost)
      assert.deepEqual([head.lostBytes, await events(head.id)], [100_000, ['0 lostBytes 100000']]);
  }).timeout(60_000);

  it('is none where not even its head has room', async () => {
    await open(MIB);
    const all = Array.from({ length: 200 }, (_, at) => recorder(OUTPUT, `rec-${String(at).padStart(20, '0')}`));
    for (const one of all) one.begin(CALL);
    await Promise.all(all.map((one) => one.end(EXIT)));
    const found = await reader.list();
    assert.ok(found.length > 50 && found.length < 200, String(found.length));
    assert.deepEqual([await spool.hasRoom(), failures], [false, 0]);
    await reader.remove(found[0]?.head.id ?? '');
    assert.equal(await spool.hasRoom(), true);
  });

  it('ends the command when it must be recorded and cannot: once, when it begins or when the room is used up', async () => {
    await open(MIB);
    const recording = recorder({ mode: 'output', required: true });
    recording.begin(CALL);
    await recording.drained();
    assert.equal(failures, 0);
    for (let round = 0; round < 3; round += 1) {
      recording.event(0n, shown(Buffer.alloc(MIB)));
      await recording.drained();
    }
    assert.equal(failures, 1);
    rmSync(scratch, { recursive: true, force: true });
    const other = recorder({ mode: 'commands', required: true }, OTHER);
    other.begin(CALL);
    await Promise.all([recording.end(), other.end()]);
    assert.equal(failures, 2);
  });

  it('is cut short by a follower that starts anew, without the frame that was not written whole', async () => {
    const [running, over] = [recorder(), recorder(OUTPUT, OTHER)];
    running.begin(CALL);
    over.begin(CALL);
    running.event(0n, shown('whole'));
    await running.drained();
    await over.end(EXIT);
    const whole = await bytes();
    appendFileSync(folder.pieceFile(ID, 0), whole.subarray(0, 9));
    const headless = path.join(scratch, `rec-${'c'.repeat(20)}`);
    mkdirSync(headless);
    writeFileSync(path.join(headless, 'head.json'), '{"id":');
    await open(MIB);
    assert.deepEqual([(await head())?.state, (await head(OTHER))?.state], ['cut_short', 'complete']);
    assert.deepEqual(readFileSync(folder.pieceFile(ID, 0)), whole);
    assert.equal(existsSync(headless), false);
    await running.end();
  });
});

const inWords = (value: string | bigint | object): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value);
