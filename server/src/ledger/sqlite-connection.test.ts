import { CurfewError } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  assertDurable,
  assertNewEnough,
  copyLogIfLong,
  isStorageFailure,
  isStorageFull,
  openSqlite,
} from './sqlite-connection.js';

describe('the connection to SQLite', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-sqlite-'));
    file = path.join(folder, 'ledger.db');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const unsafe = (problem: RegExp) => (error: unknown) =>
    error instanceof CurfewError && error.code === 'STORAGE_UNSAFE' && problem.test(error.message);

  it('syncs the log at every commit, read back after a write', () => {
    const db = openSqlite(file);
    db.exec('create table t (a); insert into t values (1)');
    assert.equal(db.pragma('synchronous', { simple: true }), 2);
    assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
    db.close();
  });

  it('is refused as the library gives it, although it says FULL until the first write', () => {
    const db = new Database(file);
    db.pragma('journal_mode = WAL');
    assert.equal(db.pragma('synchronous', { simple: true }), 2);
    assert.throws(() => assertDurable(db), unsafe(/synchronous is 1 after a write, not FULL/));
    db.close();
  });

  for (const [setting, problem] of [
    ['synchronous = OFF', /synchronous is 0 after a write, not FULL/],
    ['synchronous = NORMAL', /synchronous is 1 after a write, not FULL/],
    ['journal_mode = DELETE', /journal_mode is delete, not wal/],
    ['journal_mode = MEMORY', /journal_mode is memory, not wal/],
  ] as const)
    it(`is refused with ${setting}`, () => {
      const db = openSqlite(file);
      db.pragma(setting);
      assert.throws(() => assertDurable(db), unsafe(problem));
      db.close();
    });

  it('is refused with an SQLite that can corrupt its log', () => {
    for (const old of ['3.40.1', '3.51.2', '2.99.99'])
      assert.throws(() => assertNewEnough(old), unsafe(/is older than 3\.51\.3/));
    for (const good of ['3.51.3', '3.53.0', '4.0.0']) assertNewEnough(good);
  });

  it('copies its log into the database when it is long, and not before', () => {
    const db = openSqlite(file);
    const log = (): number => statSync(`${file}-wal`).size;
    db.exec('create table t (a)');
    const write = db.prepare('insert into t values (randomblob(100000))');
    while (log() < 4_000_000) write.run();
    copyLogIfLong(db);
    assert.ok(statSync(file).size < 100_000, 'a log that is short is left alone');
    while (log() < 4_200_000) write.run();
    copyLogIfLong(db);
    assert.ok(statSync(file).size > 3_000_000, 'a long one is copied');
    write.run();
    assert.ok(log() < 1_000_000, 'and begins anew');
    db.close();
    assert.equal(existsSync(`${file}-wal`), false);
  });

  it('knows a disk that failed from one that is full, and both from a refused statement', () => {
    const failed = (code: string): boolean[] => {
      const error = new Database.SqliteError('x', code);
      return [isStorageFailure(error), isStorageFull(error)];
    };
    for (const code of [
      'SQLITE_IOERR_FSYNC',
      'SQLITE_IOERR_WRITE',
      'SQLITE_CORRUPT',
      'SQLITE_CORRUPT_INDEX',
      'SQLITE_NOTADB',
    ])
      assert.deepEqual(failed(code), [true, false], code);
    assert.deepEqual(failed('SQLITE_FULL'), [false, true]);
    for (const code of ['SQLITE_CONSTRAINT_TRIGGER', 'SQLITE_BUSY'])
      assert.deepEqual(failed(code), [false, false], code);
  });
});
