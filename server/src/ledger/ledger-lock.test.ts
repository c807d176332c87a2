import { CurfewError } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { lockLedger } from './ledger-lock.js';

describe('the lock on a ledger', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-lock-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('is held by one, until it is given up', () => {
    const release = lockLedger(folder, 0);
    const inUse = (error: unknown): boolean => error instanceof CurfewError && error.code === 'LEDGER_IN_USE';
    assert.throws(() => lockLedger(folder, 0), inUse);
    assert.throws(() => lockLedger(folder, 10), inUse);
    release();
    lockLedger(folder, 0)();
  });

  it('is not mistaken for held when its folder is missing', () => {
    assert.throws(
      () => lockLedger(path.join(folder, 'nowhere'), 0),
      (error) => !(error instanceof CurfewError),
    );
  });
});
