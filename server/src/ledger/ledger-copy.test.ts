import { CurfewError, ManualClock, systemRandom } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { copyLedger } from './ledger-copy.js';
import { SqliteLedger } from './sqlite-ledger.js';

const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };

describe('a copy of a ledger', () => {
  let folder: string;
  let file: string;
  let copy: string;
  let ledger: SqliteLedger;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-copy-'));
    file = path.join(folder, 'ledger.db');
    copy = path.join(folder, 'copy.db');
    const fatal = (error: unknown): never => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file, clock: new ManualClock(), random: systemRandom, noteKey, fatal });
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  const isUnsafe = (problem: RegExp) => (error: unknown) =>
    error instanceof CurfewError && error.code === 'STORAGE_UNSAFE' && problem.test(error.message);
  const users = (database: string): unknown => {
    const db = new Database(database, { readonly: true });
    try {
      return db.prepare('select count(*) from app_user').pluck().get();
    } finally {
      db.close();
    }
  };
  const addUsers = (count: number) =>
    ledger.write(async ({ db }) => {
      for (let at = 0; at < count; at++) {
        const name = systemRandom.bytes(8).toString('hex');
        const row = { id: name, name, name_key: name, display_name: 'x'.repeat(2000), role: 'user', disabled: 0 };
        await db
          .insertInto('app_user')
          .values({ ...row, created_at_ms: 0 })
          .execute();
      }
    });

  it('is one whole file of one moment, also when the ledger is written to without a pause', async () => {
    await addUsers(800);
    const state = { isCopied: false };
    const writing = (async () => {
      while (!state.isCopied) await addUsers(1);
    })();
    await copyLedger(file, copy);
    state.isCopied = true;
    await writing;
    assert.ok(Number(users(copy)) >= 800);
    assert.deepEqual(
      readdirSync(folder).filter((name) => !name.startsWith('ledger.db')),
      ['copy.db'],
    );
  });

  it('is not made of what is no ledger, and what was there stays', async () => {
    writeFileSync(copy, 'an older backup');
    const text = path.join(folder, 'text');
    writeFileSync(text, 'this is no database'.repeat(100));
    const other = path.join(folder, 'other.db');
    new Database(other).exec('create table t (a)').close();
    const damaged = path.join(folder, 'damaged.db');
    await addUsers(100);
    await copyLedger(file, damaged);
    const bytes = readFileSync(damaged);
    bytes.fill(0x5a, 100_000, 120_000);
    writeFileSync(damaged, bytes);
    for (const [from, problem] of [
      [path.join(folder, 'missing'), /is not a whole ledger: unable to open database file/],
      [text, /is not a whole ledger: file is not a database/],
      [other, /is not a whole ledger: no such table: ledger_meta/],
      [damaged, /is not a whole ledger/],
    ] as const)
      await assert.rejects(copyLedger(from, copy), isUnsafe(problem), from);
    assert.equal(readFileSync(copy, 'utf8'), 'an older backup');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.includes('.new')),
      [],
    );
  });
});
