import assert from 'node:assert/strict';
import { offeredStates } from './offered-states.js';

describe('what is offered to a device', () => {
  const cases = [
    { device: 'enrolled', rolledBack: false, offered: ['starting', 'active'] },
    { device: 'enrolled', rolledBack: true, offered: ['active'] },
    { device: 'identity_conflict', rolledBack: false, offered: [] },
    { device: 'removed', rolledBack: false, offered: [] },
  ];
  for (const { device, rolledBack, offered } of cases)
    it(`is ${offered.join(' and ') || 'nothing'} when it is ${device}${rolledBack ? ', and the ledger rolled back' : ''}`, () => {
      assert.deepEqual(offeredStates(device, rolledBack), offered);
    });
});
