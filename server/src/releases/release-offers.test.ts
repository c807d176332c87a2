import assert from 'node:assert/strict';
import type { DeviceRow } from '../devices/find-device.js';
import type { Ledger } from '../ledger/ledger.js';
import { ReleaseOffers } from './release-offers.js';

const DEVICE = {
  id: `dev-${'a'.repeat(20)}`,
  update_state: 'unspecified',
  facts: JSON.stringify({ platform: 'PLATFORM_LINUX', architecture: 'x64', agentVersion: '0.1.0' }),
} as DeviceRow;

describe('offers of releases', () => {
  it('hold up no desired state where the ledger cannot be read, and are there again when it can', async () => {
    const answers = [
      () => Promise.reject(new Error('the disk')),
      () =>
        Promise.resolve({
          version: '0.2.0',
          percent: 100,
          deviceIds: [],
          statements: new Map([['linux x64', 'signed']]),
        }),
    ];
    let reads = 0;
    const read = (() => answers[Math.min(reads++, 1)]!()) as unknown as Ledger['read'];
    const offers = new ReleaseOffers({ read });
    assert.equal(await offers.to(DEVICE), '');
    assert.equal(await offers.to(DEVICE), 'signed');
    assert.equal(await offers.to({ ...DEVICE, facts: '{' }), '');
    assert.equal(reads, 2);
  });
});
