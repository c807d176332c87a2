import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cgroupsLeft } from '../support/device-cgroup.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { treeHash } from '../support/tree-hash.js';
import { eventually } from '../support/wait.js';

describeOn(['systemd devices'], 'a namespace device with systemd', function () {
  this.timeout(120_000);
  let device: Device;

  before(async () => {
    device = await Device.start({ name: 'server-1', users: [{ name: 'alice' }], init: 'systemd' });
  });
  after(() => device.dispose());

  it('runs timers and services of its own, and leaves the machine as it is', async () => {
    const etc = await treeHash('/etc');
    assert.equal(await device.must(['ps', '-o', 'comm=', '-p', '1']), 'systemd');
    await device.must(['systemd-run', '--on-active=1s', '--timer-property=AccuracySec=50ms', 'touch', '/run/ran']);
    await eventually(async () => (await device.run(['test', '-e', '/run/ran'])).exitCode === 0, { withinMs: 10_000 });
    await device.must(['touch', '/etc/curfew-was-here', '/usr/curfew-was-here']);
    assert.ok(!existsSync('/usr/curfew-was-here'));
    assert.equal(await treeHash('/etc'), etc);
  });

  it('cannot change the settings of the kernel that it shares', async () => {
    const setting = '/proc/sys/fs/protected_symlinks';
    const before = await device.must(['cat', setting]);
    const refused = await device.run(['bash', '-c', `echo 1 > ${setting}`]);
    assert.match(refused.stderr, /Read-only file system/);
    assert.equal(await device.must(['cat', setting]), before);
  });

  it('keeps enabled units over a reboot, and has a fresh /run and boot id', async () => {
    const bootId = await device.bootId();
    const unit = '[Service]\nType=oneshot\nExecStart=/bin/touch /run/at-boot\n';
    await device.must(['tee', '/etc/systemd/system/at-boot.service'], { stdin: unit });
    await device.must(['mkdir', '/etc/systemd/system/multi-user.target.wants']);
    await device.must(['ln', '-s', '../at-boot.service', '/etc/systemd/system/multi-user.target.wants/']);
    await device.must(['touch', '/run/before']);
    await device.reboot();
    assert.notEqual(await device.bootId(), bootId);
    await device.must(['test', '-e', '/run/at-boot', '-a', '!', '-e', '/run/before']);
  });

  it('ends with the test process, and leaves nothing', async () => {
    const { pid } = device;
    device.loseParent();
    await eventually(() => !existsSync(`/proc/${pid}/root/etc`), { withinMs: 30_000 });
    await device.dispose();
    assert.deepEqual(cgroupsLeft(), []);
  });
});
