import { ManualClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { Change } from '../ledger/ledger.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { pruneChanges } from './prune-changes.js';

describe('pruning changes', () => {
  let ledger: SqliteLedger;

  beforeEach(async () => {
    ledger = await SqliteLedger.open({
      file: ':memory:',
      clock: new ManualClock(),
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
  });
  afterEach(() => ledger.close());

  const change = (count: number): Promise<void> =>
    ledger.write((tx) => {
      for (let at = 0; at < count; at++) tx.changed('user', `usr-${at}`);
      return Promise.resolve();
    });
  const revisions = (): Promise<number[]> =>
    ledger.read(async (db) =>
      (await db.selectFrom('change').select('revision').orderBy('revision').execute()).map(({ revision }) => revision),
    );
  const events = (): Promise<unknown[]> =>
    ledger.read((db) => db.selectFrom('audit_event').select(['idx', 'record']).execute());

  it('keeps the newest, in as many transactions as it takes, and the audit log whole', async () => {
    await change(12_000);
    const [all, log] = [await revisions(), await events()];
    assert.equal(await pruneChanges(ledger, 100), all.length - 100);
    assert.deepEqual(await revisions(), all.slice(-100));
    assert.deepEqual(await events(), log);
  });

  it('deletes nothing while there are few', async () => {
    await change(100);
    const all = await revisions();
    assert.equal(await pruneChanges(ledger, all.length), 0);
    assert.deepEqual(await revisions(), all);
  });

  it('leaves revisions growing', async () => {
    await change(10);
    const newest = Math.max(...(await revisions()));
    await pruneChanges(ledger, 1);
    const seen: Change[] = [];
    ledger.onChange((changes) => seen.push(...changes));
    await change(1);
    assert.deepEqual(
      seen.map(({ revision }) => revision),
      [newest + 1],
    );
  });
});
