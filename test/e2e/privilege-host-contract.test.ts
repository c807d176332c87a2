import assert from 'node:assert/strict';
import { runContract } from '../support/contract-on-device.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';

const USERS = [{ name: 'alice' }, { name: 'bob' }];

describeOn(['devices'], 'the contract of privilege hosts', function () {
  this.timeout(300_000);

  it('is kept by the adapters on a real machine without systemd, for sudo rules', async () => {
    const device = await Device.start({ name: 'plain-1', users: USERS });
    try {
      const { failed, passedAbout } = await runContract(device);
      assert.deepEqual(failed, []);
      assert.ok(passedAbout('sudo rules') >= 15);
    } finally {
      await device.dispose();
    }
  });
});

describeOn(['systemd devices'], 'the contract of privilege hosts, under systemd', function () {
  this.timeout(300_000);

  it('is kept by the adapters on a real machine, for sudo rules and group memberships', async () => {
    const device = await Device.start({ name: 'server-1', users: USERS, init: 'systemd' });
    try {
      const { failed, passedAbout } = await runContract(device);
      assert.deepEqual(failed, []);
      assert.ok(passedAbout('sudo rules') >= 15 && passedAbout('group memberships') >= 15);
    } finally {
      await device.dispose();
    }
  });
});
