import { CurfewError, ManualClock, systemRandom } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { CommitQueue } from './commit-queue.js';

const MIB = 1_048_576;

describe('the queue of commits', () => {
  let db: Database.Database;
  let queue: CommitQueue;
  let commits = 0;
  let refuseGroups = false;

  beforeEach(() => {
    db = new Database(':memory:');
    db.exec('create table t (a text unique)');
    [commits, refuseGroups] = [0, false];
    queue = new CommitQueue({
      db,
      before: () => {
        if (refuseGroups) throw new CurfewError('RECORDINGS_UNAVAILABLE');
      },
      after: () => commits++,
      failure: (error) => (error instanceof CurfewError ? error : new CurfewError('RECORDINGS_FULL')),
    });
  });
  afterEach(async () => {
    await queue.idle();
    db.close();
  });

  const put = (text: string, bytes = 0): Promise<string> =>
    queue.write(bytes, () => {
      db.prepare('insert into t values (?)').run(text);
      return text;
    });
  const rows = (): unknown[] => db.prepare('select a from t order by rowid').pluck().all();

  it('writes what came at the same time in one commit, in order', async () => {
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((text) => put(text))), ['a', 'b', 'c']);
    assert.deepEqual([rows(), commits], [['a', 'b', 'c'], 1]);
  });

  it('undoes a unit that is refused, and it alone', async () => {
    const refused = queue.write(0, () => {
      db.exec(`insert into t values ('x')`);
      throw new CurfewError('RECORDING_NOT_FOUND', { given: 'x' });
    });
    const others = [put('a'), put('b')];
    await assert.rejects(refused, (error: CurfewError) => error.code === 'RECORDING_NOT_FOUND');
    await Promise.all(others);
    assert.deepEqual(rows(), ['a', 'b']);
  });

  it('undoes a whole group that fails, and goes on', async () => {
    await put('a');
    const group = await Promise.allSettled([put('b'), put('a')]);
    assert.deepEqual(
      group.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    refuseGroups = true;
    await assert.rejects(put('c'), (error: CurfewError) => error.code === 'RECORDINGS_UNAVAILABLE');
    refuseGroups = false;
    await put('d');
    assert.deepEqual(rows(), ['a', 'd']);
  });

  it('lets a commit of the ledger come in between, however much waits here', async () => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    const clock = new ManualClock();
    const ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const order: string[] = [];
    const appends = Array.from({ length: 30 }, (_, at) => put(String(at), MIB).then(() => order.push('append')));
    await ledger.write((tx) => {
      tx.audit({ type: 'test.revoked', actor: { kind: 'server' }, subject: 'x' });
      return Promise.resolve();
    });
    order.push('revoke');
    await Promise.all(appends);
    await ledger.close();
    assert.equal(commits, 30);
    assert.ok(order.indexOf('revoke') < 15, order.join(' '));
  });

  it('lets only so much wait, and takes more when that is done', async () => {
    const waiting = Array.from({ length: 31 }, (_, at) => put(String(at), MIB));
    await assert.rejects(put('x', MIB), (error: CurfewError) => error.code === 'TOO_MANY_CALLS');
    await Promise.all(waiting);
    assert.equal(await put('x', MIB), 'x');
  });
});
