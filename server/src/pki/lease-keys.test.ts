import { CurfewError, verifyLeaseKeySet, type LeaseKeySet } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LeaseKeys } from './lease-keys.js';
import { SecretFiles } from './secret-files.js';
import type { SecretStore } from './secret-store.js';

/** A store that servers share: a write counts only for who has read what is there. Its answers can be lost. */
class SharedStore implements SecretStore {
  private seal = '';
  losesAnswers = false;

  constructor(private readonly shared: { text: string }) {}

  newest(): Promise<string> {
    this.seal = this.shared.text;
    return Promise.resolve(this.seal);
  }

  async readOrMake(_: string, make: () => string | Promise<string>): Promise<string> {
    if (this.shared.text === '') this.shared.text = await make();
    return this.newest();
  }

  write(_: string, text: string): Promise<void> {
    if (this.seal !== this.shared.text)
      return Promise.reject(new CurfewError('STORAGE_FAILED', { detail: 'another server has just changed it' }));
    this.shared.text = text;
    if (this.losesAnswers) return Promise.reject(new CurfewError('LEDGER_UNAVAILABLE', { problem: 'it is gone' }));
    this.seal = text;
    return Promise.resolve();
  }
}

describe('lease keys', () => {
  let folder: string;
  const open = (): Promise<LeaseKeys> => LeaseKeys.open(new SecretFiles(folder));
  const file = (): string => path.join(folder, 'lease-keys.json');

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-keys-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Follows a chain as an agent does. */
  const follow = async (from: LeaseKeySet, chain: readonly string[]): Promise<LeaseKeySet> => {
    let trusted = from;
    for (const signed of chain) trusted = await verifyLeaseKeySet(signed, trusted);
    return trusted;
  };

  it('lead from every version before to the newest, also after a restart', async () => {
    const keys = await open();
    const sets = [keys.set, await keys.rotate(), await keys.rotate(), await keys.rotate()];
    const again = await open();
    assert.deepEqual(again.set, sets[3]);
    assert.equal(again.signing.kid, keys.signing.kid);
    for (const set of sets) {
      assert.equal(set.keys.length, 1, 'the old key is trusted no longer');
      assert.deepEqual(await follow(set, again.chainAfter(set.version)), sets[3]);
    }
    assert.deepEqual(again.chainAfter(4), []);
  });

  it('rotate one after the other, however they are asked', async () => {
    const keys = await open();
    const versions = await Promise.all([keys.rotate(), keys.rotate(), keys.rotate()]);
    assert.deepEqual(
      versions.map(({ version }) => version),
      [2, 3, 4],
    );
    assert.deepEqual((await open()).set, versions[2]);
  });

  it('are for their owner alone, and the old private key is gone', async () => {
    const keys = await open();
    const before = (JSON.parse(readFileSync(file(), 'utf8')) as { signing: string }).signing;
    await keys.rotate();
    assert.equal(readFileSync(file(), 'utf8').includes(JSON.stringify(before).slice(30, 90)), false);
    assert.equal(statSync(file()).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('are refused when the key in the file is none of the set', async () => {
    await open();
    const other = mkdtempSync(path.join(tmpdir(), 'curfew-keys-'));
    await LeaseKeys.open(new SecretFiles(other));
    const stranger = JSON.parse(readFileSync(path.join(other, 'lease-keys.json'), 'utf8')) as { signing: string };
    rmSync(other, { recursive: true });
    const own = JSON.parse(readFileSync(file(), 'utf8')) as object;
    writeFileSync(file(), JSON.stringify({ ...own, signing: stranger.signing }));
    await assert.rejects(open(), (error) => error instanceof CurfewError && error.code === 'STORAGE_UNSAFE');
  });

  it('are rotated again after an answer was lost, on from what has become of it', async () => {
    const shared = { text: '' };
    const store = new SharedStore(shared);
    const keys = await LeaseKeys.open(store);
    const first = keys.set;
    store.losesAnswers = true;
    await assert.rejects(keys.rotate(), { code: 'LEDGER_UNAVAILABLE' });
    assert.deepEqual(keys.set, first);
    store.losesAnswers = false;
    const newest = await keys.rotate();
    assert.equal(newest.version, 3);
    assert.deepEqual(await follow(first, keys.chainAfter(1)), newest);
    assert.deepEqual((await LeaseKeys.open(new SharedStore(shared))).set, newest);
  });

  it('are rotated on from what another server has rotated', async () => {
    const shared = { text: '' };
    const [one, other] = [await LeaseKeys.open(new SharedStore(shared)), await LeaseKeys.open(new SharedStore(shared))];
    const first = one.set;
    await one.rotate();
    const newest = await other.rotate();
    assert.deepEqual(await follow(first, other.chainAfter(1)), newest);
    assert.deepEqual([await one.refresh(), one.set, await one.refresh()], [true, newest, false]);
  });
});
