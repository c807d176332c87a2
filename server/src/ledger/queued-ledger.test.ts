import { ManualClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { NO_MEASURES } from '../metrics/measures.js';
import type { LedgerTransaction } from './ledger.js';
import { QueuedLedger } from './queued-ledger.js';
import { SqliteLedger } from './sqlite-ledger.js';

const AT_ONCE = 256;

describe('the queue before the ledger', () => {
  let ledger: QueuedLedger;
  let groups: number[];
  /** What has run, in order. */
  let ran: string[];

  beforeEach(async () => {
    [groups, ran] = [[], []];
    const inner = await SqliteLedger.open({
      file: ':memory:',
      clock: new ManualClock(),
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
    ledger = new QueuedLedger(inner, { ...NO_MEASURES, committed: (units) => groups.push(units) });
  });
  afterEach(() => ledger.close());

  /** A unit of work that notes a change of its own. */
  const unit = (name: string) => async (tx: LedgerTransaction) => {
    ran.push(name);
    tx.changed('user', name);
    return name;
  };
  const burst = (count: number): Promise<string>[] =>
    Array.from({ length: count }, (_, at) => ledger.write(unit(`grant-${at}`)));

  it('has a revoke in the first group, however many grants came before it', async () => {
    const grants = burst(10_000);
    assert.ok(ledger.depth >= 10_000 - AT_ONCE, `${ledger.depth} wait outside the ledger`);
    await ledger.write(unit('revoke'), 'first');
    assert.ok(ran.indexOf('revoke') <= AT_ONCE, `${ran.indexOf('revoke')} went before it`);
    assert.ok(ran.length <= AT_ONCE + 1, `${ran.length} had been done when it was answered`);
    await Promise.all(grants);
  });

  it('has a revoke in the next group when it comes in the middle of a burst', async () => {
    const grants = burst(2_000);
    await grants[0];
    const before = ran.length;
    await ledger.write(unit('revoke'), 'first');
    assert.ok(ran.length <= before + AT_ONCE + 1, `${ran.length - before} went before its answer`);
    await Promise.all(grants);
  });

  it('keeps the order of all others, and loses none', async () => {
    const names = await Promise.all(burst(1_000));
    assert.deepEqual(ran, names);
    assert.deepEqual([ledger.depth, groups.reduce((sum, units) => sum + units)], [0, 1_000]);
    assert.ok(Math.max(...groups) <= AT_ONCE, `a group of ${Math.max(...groups)}`);
    const rows = await ledger.read((db) => db.selectFrom('change').select('id').orderBy('revision').execute());
    assert.deepEqual(
      rows.map(({ id }) => id),
      names,
    );
  });

  it('goes on after work that fails, in whatever part of the queue', async () => {
    const failing = (): Promise<never> => ledger.write(() => Promise.reject(new Error('no')));
    const results = await Promise.allSettled([...burst(300), ...Array.from({ length: 300 }, failing), ...burst(300)]);
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 300);
    assert.equal(ledger.depth, 0);
    assert.equal(await ledger.write(unit('after')), 'after');
  });

  it('does what waits before it closes', async () => {
    const grants = burst(1_000);
    await ledger.close();
    assert.equal((await Promise.all(grants)).length, 1_000);
    // afterEach closes once more: nothing waits by then.
  });
});
