import { CurfewError, DAY, HOUR, ManualClock, silentLogger, systemRandom, type ErrorCode } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { copyDatabase, copyLedger } from '../ledger/ledger-copy.js';
import { framed, framesOf } from './frames.js';
import type { Frames, RecordingHead } from './recording.js';
import { RecordingSeal } from './recording-seal.js';
import { RECORDINGS } from './recordings-file.js';
import { SqliteRecordings } from './sqlite-recordings.js';

const ID = `rec-${'a'.repeat(20)}`;
const OTHER = `rec-${'b'.repeat(20)}`;
const SESSION = `ses-${'1'.repeat(20)}`;
const NONE: Frames = { bytes: Buffer.of(), ends: [] };

const head = (change: Partial<RecordingHead> = {}): RecordingHead => ({
  id: ID,
  sessionId: SESSION,
  command: '/bin/cat',
  arguments: ['cat', '--token=hunter2hunter2'],
  argumentsCut: false,
  workingDirectory: '/root',
  terminal: '/dev/pts/1',
  runAsUser: 'root',
  columns: 80,
  lines: 24,
  startedAtMs: 1_000,
  state: 'running',
  runTimeMs: null,
  exitStatus: 0,
  signal: '',
  error: '',
  mode: 'output',
  lostBytes: 0,
  ...change,
});

const frames = async (bytes: Buffer): Promise<Frames> => {
  const made = await framesOf(bytes, () => undefined);
  return typeof made === 'string' ? assert.fail(made) : made;
};
const events = (...texts: string[]): Buffer => Buffer.concat(texts.map((text) => framed(Buffer.from(text))));

describe('the store of recordings', () => {
  const clock = new ManualClock();
  const key = Buffer.alloc(32, 7);
  let folder: string;
  let store: SqliteRecordings;
  let full = false;

  const open = (longest = 1_000_000, withKey = key): SqliteRecordings =>
    SqliteRecordings.open({
      file: path.join(folder, 'recordings.db'),
      seal: new RecordingSeal(withKey, systemRandom),
      clock,
      logger: silentLogger,
      longest,
      isFull: () => full,
    });
  const reopened = async (...how: Parameters<typeof open>): Promise<void> => {
    await store.close();
    store = open(...how);
  };
  /** Changes the file behind the store's back, as somebody can who has it. */
  const tamper = async (change: (db: Database.Database) => void): Promise<void> => {
    await store.close();
    const db = new Database(path.join(folder, 'recordings.db'));
    change(db);
    db.close();
    store = open();
  };

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-recordings-'));
    full = false;
    store = open();
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const append = async (
    offset: number,
    bytes: Buffer,
    change: Partial<RecordingHead> = {},
    deviceId = 'dev-1',
    totalSize = 0,
  ) =>
    store.append({
      totalSize,
      head: head(change),
      deviceId,
      offset,
      frames: bytes.length === 0 ? NONE : await frames(bytes),
    });
  const whole = async (id = ID): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for (let at = 0; ;) {
      const part = await store.read(id, at);
      if (part.length === 0) return Buffer.concat(parts);
      parts.push(part);
      at += part.length;
    }
  };
  /** All that there is, as it is in the file. */
  const picture = (): unknown => {
    const db = new Database(path.join(folder, 'recordings.db'), { readonly: true });
    try {
      return [
        db.prepare('select * from recording order by id').all(),
        db.prepare('select * from recording_chunk order by recording_id, start').all(),
      ];
    } finally {
      db.close();
    }
  };
  async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<void> {
    const before = picture();
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code);
      return true;
    });
    assert.deepEqual(picture(), before);
  }

  it('has exactly the events once, whatever is sent twice, too early, at the same time, or before a crash', async function () {
    this.timeout(60_000);
    const sizes = fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 12 });
    const step = fc.record({ from: fc.nat(12), count: fc.nat(6), crash: fc.boolean(), twice: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(sizes, fc.array(step, { maxLength: 15 }), async (lengths, steps) => {
        const all = lengths.map((length, at) => framed(Buffer.alloc(length, at)));
        const starts = all.reduce((at, frame) => [...at, (at.at(-1) ?? 0) + frame.length], [0]);
        let size = 0;
        for (const { from, count, crash, twice } of steps) {
          const first = from % all.length;
          const sent = Buffer.concat(all.slice(first, first + count));
          const offset = starts[first] ?? 0;
          const answers = await Promise.all((twice ? [1, 2] : [1]).map(() => append(offset, sent)));
          if (offset <= size) size = Math.max(size, offset + sent.length);
          for (const answer of answers) assert.equal(answer, size);
          if (crash) await reopened();
          if (size > 0) assert.equal((await store.get(ID)).size, size);
        }
        const got = size === 0 ? Buffer.of() : await whole();
        assert.deepEqual(got, Buffer.concat(all).subarray(0, size));
        await tamper((db) => db.exec('delete from recording; delete from recording_chunk'));
      }),
      { numRuns: 40 },
    );
  });

  it('takes nothing at a gap, and says how much it has', async () => {
    assert.equal(await append(10, events('a')), 0);
    await refused('RECORDING_NOT_FOUND', () => store.get(ID));
    const size = await append(0, events('a'));
    assert.equal(await append(size + 1, events('b'), { state: 'complete' }), size);
    assert.equal((await store.get(ID)).head.state, 'running');
  });

  it('does not take events that are cut at another place than those that it has', async () => {
    await append(0, events('abc', 'de'));
    await refused('RECORDING_INVALID', () => append(0, events('abcd', 'efgh')));
  });

  it('is opened only by the device and the session that began it', async () => {
    await append(0, events('a'));
    await refused('RECORDING_INVALID', () => append(0, events('a', 'b'), {}, 'dev-2'));
    await refused('RECORDING_INVALID', () => append(0, events('a', 'b'), { sessionId: `ses-${'2'.repeat(20)}` }));
  });

  it('takes nothing that would make a recording too long, and what is known of it all the same', async () => {
    await reopened(30);
    await append(0, events('0123456789'));
    await refused('RECORDING_TOO_LONG', () => append(14, events('0123456789012345')));
    assert.equal(await append(14, NONE.bytes, { state: 'complete' }), 14);
    assert.equal((await store.get(ID)).head.state, 'complete');
  });

  it('takes no events without room, and what is known of a recording all the same', async () => {
    await append(0, events('a'));
    full = true;
    await refused('RECORDINGS_FULL', () => append(5, events('b')));
    assert.equal(await append(5, NONE.bytes, { state: 'complete' }), 5);
  });

  it('fails alone when its disk is full, and goes on when there is room again', async () => {
    await append(0, events('a'));
    const db = (store as unknown as { db: Database.Database }).db;
    db.pragma(`max_page_count = ${String(db.pragma('page_count', { simple: true }))}`);
    await refused('RECORDINGS_FULL', () => append(5, events('x'.repeat(100_000))));
    db.pragma('max_page_count = 100000');
    assert.equal(await append(5, events('x'.repeat(100_000))), 5 + 100_004);
  });

  it('says that more is to come until all is there that the device has', async () => {
    const size = await append(0, events('a'), { state: 'complete' }, 'dev-1', 10);
    assert.equal((await store.get(ID)).isOpen, true);
    assert.deepEqual(await store.openDevices(), ['dev-1']);
    await append(size, events('b'), { state: 'complete' }, 'dev-1', 10);
    assert.equal((await store.get(ID)).isOpen, false);
    await append(0, NONE.bytes, { state: 'complete' }, 'dev-1', 20);
    await store.endOpenOf('dev-1');
    const { head: known, isOpen } = await store.get(ID);
    assert.deepEqual([known.state, isOpen], ['complete', false]);
  });

  it('does not let what is over run again', async () => {
    await append(0, events('a'), { state: 'complete', exitStatus: 3, runTimeMs: 5 });
    assert.equal(await append(5, events('b')), 10);
    const { head: known, size } = await store.get(ID);
    assert.deepEqual([known.state, known.exitStatus, size], ['complete', 3, 10]);
  });

  it('shows nothing of what was recorded to somebody who has the file, command lines included', async () => {
    await append(0, events('hunter2hunter2 on the screen'));
    await store.close();
    const bytes = readFileSync(path.join(folder, 'recordings.db'));
    assert.ok(bytes.includes(ID));
    // None so short that sealed bytes could have it by chance.
    for (const secret of ['hunter2', 'screen', '/bin/cat', '/dev/pts']) assert.ok(!bytes.includes(secret), secret);
    store = open(undefined, Buffer.alloc(32, 8));
    await refused('RECORDING_UNREADABLE', () => store.get(ID));
    await refused('RECORDING_UNREADABLE', () => store.read(ID, 0));
    store = await store.close().then(() => open());
  });

  const swaps: { name: string; change: string; read?: boolean }[] = [
    {
      name: 'two chunks of a recording',
      change: `update recording_chunk set start = -1 where start = 0; update recording_chunk set start = 0 where start = 9; update recording_chunk set start = 9 where start = -1`,
    },
    {
      name: 'the chunks of two recordings',
      change: `update recording_chunk set recording_id = case recording_id when '${ID}' then '${OTHER}-' else '${ID}' end`,
    },
    {
      name: 'a chunk that is another once more',
      change: `update recording_chunk set body = (select body from recording_chunk where recording_id = '${ID}' and start = 9) where recording_id = '${ID}'`,
    },
    {
      name: 'a bit',
      change: `update recording_chunk set body = cast(substr(body, 1, 20) || x'00' || substr(body, 22) as blob)`,
    },
    { name: 'a chunk that is gone', change: `delete from recording_chunk where start = 0` },
    {
      name: 'a recording that is shorter',
      change: `update recording set size = 9; delete from recording_chunk where start = 9`,
      read: false,
    },
    { name: 'the session of a recording', change: `update recording set session_id = 'ses-x'`, read: false },
    { name: 'the device of a recording', change: `update recording set device_id = 'dev-x'`, read: false },
    { name: 'the state of a recording', change: `update recording set state = 'refused'`, read: false },
    {
      name: 'the heads of two recordings',
      change: `update recording set head = (select head from recording r where r.id <> recording.id)`,
      read: false,
    },
  ];
  for (const { name, change, read = true } of swaps)
    it(`sees through a change of the file: ${name}`, async () => {
      for (const id of [ID, OTHER]) {
        await append(0, events('01234'), { id });
        await append(9, events('56789'), { id });
      }
      await tamper((db) => {
        db.exec(change);
      });
      await refused('RECORDING_UNREADABLE', () => (read ? whole() : store.get(ID)));
    });

  it('lists what cannot be read without what is known of it', async () => {
    await append(0, NONE.bytes);
    await append(0, NONE.bytes, { id: OTHER });
    await tamper((db) => db.exec(`update recording set size = 1 where id = '${ID}'`));
    const [first, second] = await store.list(SESSION, undefined, 10);
    assert.match(first?.head.error ?? '', /damaged/);
    assert.deepEqual([first?.head.command, second?.head.command], ['', '/bin/cat']);
  });

  it('lists by start and id, page by page, and finds by a prefix', async () => {
    await append(0, NONE.bytes, { startedAtMs: 2_000 });
    await append(0, NONE.bytes, { id: OTHER, startedAtMs: 1_000 });
    const [first] = await store.list(SESSION, undefined, 1);
    assert.equal(first?.head.id, OTHER);
    const rest = await store.list(SESSION, { startedAtMs: 1_000, id: OTHER }, 5);
    assert.deepEqual(
      rest.map((one) => one.head.id),
      [ID],
    );
    assert.equal(await store.count(SESSION), 2);
    assert.equal(await store.findId('rec-b'), OTHER);
    await append(0, NONE.bytes, { id: `rec-b${'c'.repeat(19)}` });
    await refused('ID_AMBIGUOUS', () => store.findId('rec-b'));
    await refused('RECORDING_NOT_FOUND', () => store.findId('rec-z'));
  });

  it('keeps a wish to cut until the recording is over, also through a restart', async () => {
    await append(0, NONE.bytes);
    assert.equal((await store.get(ID)).isToEnd, false);
    await store.cut(ID);
    await store.cut(ID);
    assert.equal((await store.get(ID)).isToEnd, true);
    await reopened();
    assert.deepEqual(await store.toCut('dev-1'), [ID]);
    assert.deepEqual(await store.toCut('dev-2'), []);
    await append(0, NONE.bytes, { state: 'cut_short' });
    assert.deepEqual(await store.toCut('dev-1'), []);
    await refused('RECORDING_NOT_RUNNING', () => store.cut(ID));
    await refused('RECORDING_NOT_FOUND', () => store.cut(OTHER));
  });

  it('tells listeners of a recording what has changed in it, after it is there', async () => {
    const seen: number[] = [];
    let reads: Promise<unknown> = Promise.resolve();
    const stop = store.onChange(ID, () => {
      reads = reads.then(() => store.get(ID)).then(({ size }) => seen.push(size));
    });
    await append(0, events('a'));
    await append(0, events('x'), { id: OTHER });
    await append(5, events('b'));
    stop();
    await append(10, events('c'));
    await reads;
    assert.deepEqual(seen, [5, 10]);
  });

  it('ends what a device will never tell the end of', async () => {
    await append(0, events('a'));
    await append(0, NONE.bytes, { id: OTHER }, 'dev-2');
    assert.deepEqual((await store.openDevices()).sort(), ['dev-1', 'dev-2']);
    await store.endOpenOf('dev-1');
    const { head: known, isOpen } = await store.get(ID);
    assert.deepEqual([known.state, isOpen], ['cut_short', false]);
    assert.deepEqual(await store.openDevices(), ['dev-2']);
  });

  it('finds everything by an index, however much there is', async () => {
    await append(0, events('a'));
    await Promise.all([store.get(ID), store.findId(ID), store.list(SESSION, undefined, 1), store.count(SESSION)]);
    await Promise.all([store.read(ID, 0), store.cut(ID), store.toCut('dev-1'), store.openDevices()]);
    await Promise.all([store.openSessions('', 10), store.noteEnded([{ sessionId: SESSION, endedAtMs: 0, keepMs: 1 }])]);
    await store.endOpenOf('dev-1');
    await store.deleteDue(DAY, HOUR);
    const { db, statements } = store as unknown as { db: Database.Database; statements: Map<string, unknown> };
    assert.ok(statements.size > 15, String(statements.size));
    for (const text of statements.keys()) {
      const values = { now: 0, keep: 0 };
      const named = /:\w+/.test(text) && !text.includes('insert');
      const plan = db.prepare(`explain query plan ${text.replace(/:\w+|\?/g, named ? '$&' : '1')}`);
      const steps = (named ? plan.all(values) : plan.all()) as { detail: string }[];
      for (const { detail } of steps)
        if (!/^SCAN \w+ USING (COVERING )?INDEX recording_(open|deleted)/.test(detail))
          assert.doesNotMatch(detail, /^SCAN/, text);
    }
  });

  it('is copied while it is used, and a copy opens with the same key', async () => {
    await append(0, events('a'));
    const copy = path.join(folder, 'copy.db');
    await copyDatabase(path.join(folder, 'recordings.db'), copy, RECORDINGS);
    await append(5, events('b'));
    await store.close();
    renameSync(copy, path.join(folder, 'recordings.db'));
    for (const rest of ['-wal', '-shm']) rmSync(path.join(folder, `recordings.db${rest}`), { force: true });
    store = open();
    assert.deepEqual(await whole(), events('a'));
    const isUnsafe = (error: CurfewError): boolean => error.code === 'STORAGE_UNSAFE';
    await assert.rejects(copyLedger(path.join(folder, 'recordings.db'), copy), isUnsafe);
  });

  describe('keeps recordings', () => {
    const end = { sessionId: SESSION, endedAtMs: 0, keepMs: null };
    const counts = async () => (picture() as unknown[][]).map((rows) => rows.length);

    it('while their session runs, however long that is', async () => {
      await append(0, events('a'));
      assert.deepEqual(await store.deleteDue(1000 * DAY, HOUR), { recordings: 0, bytes: 0 });
      assert.deepEqual(await store.openSessions('', 10), [SESSION]);
      assert.deepEqual(await counts(), [1, 1]);
    });

    it('for as long as the default says, to the millisecond, and nothing of them after', async () => {
      await append(0, events('a'.repeat(200_000), 'b'));
      await append(0, events('c'), { id: OTHER, sessionId: `ses-${'2'.repeat(20)}` });
      await store.noteEnded([end]);
      assert.deepEqual(await store.openSessions('', 10), [`ses-${'2'.repeat(20)}`]);
      await store.deleteDue(HOUR - 1, HOUR);
      assert.deepEqual(await counts(), [2, 3]);
      assert.deepEqual(await store.deleteDue(HOUR, HOUR), { recordings: 1, bytes: 200_009 });
      assert.deepEqual(await counts(), [1, 1]);
      await refused('RECORDING_NOT_FOUND', () => store.get(ID));
    });

    it('for as long as their policy says, whatever the default', async () => {
      await append(0, events('a'));
      await store.noteEnded([{ ...end, keepMs: DAY }]);
      await store.deleteDue(DAY - 1, HOUR);
      assert.deepEqual(await counts(), [1, 1]);
      await store.deleteDue(DAY, 1000 * DAY);
      assert.deepEqual(await counts(), [0, 0]);
    });

    it('and gives their room back to the file system', async () => {
      await reopened(10_000_000);
      for (let at = 0; at < 30; at++) await append(at * 100_004, events('x'.repeat(100_000)), {});
      const pages = () => {
        const db = new Database(path.join(folder, 'recordings.db'), { readonly: true });
        try {
          return Number(db.pragma('page_count', { simple: true }));
        } finally {
          db.close();
        }
      };
      const before = pages();
      await store.noteEnded([end]);
      await store.deleteDue(HOUR, HOUR);
      assert.ok(pages() < before / 10, `${pages()} of ${before} pages`);
    });
  });
});
