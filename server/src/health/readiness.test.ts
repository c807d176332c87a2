import { CurfewError, durationMs, ManualClock, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Ledger, LedgerTransaction } from '../ledger/ledger.js';
import { NO_MEASURES } from '../metrics/measures.js';
import { QueuedLedger } from '../ledger/queued-ledger.js';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Readiness } from './readiness.js';

/** A real ledger whose disk can be full, and which can be silent. */
class FailingLedger {
  isFull = false;
  isSilent = false;
  /** What each write waits for. */
  waits = Promise.resolve();
  writes = 0;

  constructor(private readonly ledger: Ledger) {}

  readonly problem = '';
  readonly leads = true;
  get sessionSearch() {
    return this.ledger.sessionSearch;
  }
  read: Ledger['read'] = (work) => (this.isSilent ? new Promise(() => undefined) : this.ledger.read(work));
  write: Ledger['write'] = (work) => {
    this.writes += 1;
    return this.isFull
      ? Promise.reject(new CurfewError('STORAGE_FAILED', { detail: 'full' }))
      : this.waits.then(() => this.ledger.write(work));
  };
  onChange: Ledger['onChange'] = (listener) => this.ledger.onChange(listener);
  backup: Ledger['backup'] = (file) => this.ledger.backup(file);
  onLead: Ledger['onLead'] = (listener) => this.ledger.onLead(listener);
  close: Ledger['close'] = () => this.ledger.close();
}

describe('whether a server is ready', () => {
  const clock = new ManualClock();
  let folder: string;
  let disk: FailingLedger;
  let ledger: QueuedLedger;
  /** A new one each time: an answer holds for a second of real time. */
  const ask = (): Promise<string[]> =>
    new Readiness({ ledger, clock, logger: silentLogger, keyFiles: [path.join(folder, 'ca.key')] }).problems();
  const change = (tx: LedgerTransaction) => Promise.resolve(tx.changed('user', 'usr-1'));

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-ready-'));
    writeFileSync(path.join(folder, 'ca.key'), '');
    const real = await SqliteLedger.open({
      file: ':memory:',
      clock,
      random: systemRandom,
      noteKey: { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey },
      fatal: (error) => assert.fail(String(error)),
    });
    disk = new FailingLedger(real);
    ledger = new QueuedLedger(disk);
  });
  afterEach(async () => {
    disk.isSilent = false;
    await ledger.close();
    rmSync(folder, { recursive: true });
  });

  it('is, and nothing is written to find that out', async () => {
    assert.deepEqual([await ask(), disk.writes], [[], 0]);
  });

  it('is not while the disk is full, and is again as soon as it is not, without anybody changing something', async () => {
    disk.isFull = true;
    await assert.rejects(ledger.write(change), { code: 'STORAGE_FAILED' });
    assert.deepEqual(await ask(), ['ledger_unwritable']);
    disk.isFull = false;
    assert.deepEqual(await ask(), []);
    const writes = disk.writes;
    assert.deepEqual([await ask(), disk.writes], [[], writes], 'nothing more is written once it is well');
  });

  it('is not while the ledger does not answer', async () => {
    disk.isSilent = true;
    const asked = ask();
    await clock.waitForTimer();
    clock.advance(durationMs(2_000));
    assert.deepEqual(await asked, ['ledger_unreadable']);
  });

  it('is not while a write gets no answer, and nobody adds one to it; it is again once that has its answer', async () => {
    const patient = ledger;
    ledger = new QueuedLedger(disk, NO_MEASURES, 0);
    let answer = (): void => undefined;
    disk.waits = new Promise((resolve) => (answer = resolve));
    const writing = ledger.write(change);
    assert.deepEqual([await ask(), disk.writes], [['ledger_unwritable'], 1]);
    ledger = patient;
    assert.deepEqual(await ask(), [], 'a short wait is none');
    answer();
    await writing;
    ledger = new QueuedLedger(disk, NO_MEASURES, 0);
    assert.deepEqual([await ask(), disk.writes], [[], 1]);
  });

  it('is not without its keys', async () => {
    rmSync(path.join(folder, 'ca.key'));
    assert.deepEqual(await ask(), ['keys_missing']);
  });

  it('is not once it stops', async () => {
    const keyFiles: string[] = [];
    const readiness = new Readiness({ ledger, clock, logger: silentLogger, keyFiles });
    assert.deepEqual(await readiness.problems(), []);
    readiness.stop();
    assert.deepEqual(await readiness.problems(), ['stopping']);
  });

  it('is looked at once for all who ask at the same time', async () => {
    let reads = 0;
    const counted = {
      read: ((work) => ((reads += 1), ledger.read(work))) as Ledger['read'],
      write: ledger.write.bind(ledger),
      isFailing: false,
      isStuck: false,
    };
    const readiness = new Readiness({ ledger: counted, clock, logger: silentLogger, keyFiles: [] });
    await Promise.all(Array.from({ length: 1_000 }, () => readiness.problems()));
    assert.equal(reads, 1);
  });
});
