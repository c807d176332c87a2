import assert from 'node:assert/strict';
import { describeOn } from '../support/machine-needs.js';
import { PackagedLife, twoVersions } from '../support/packaged-life.js';
import { BuiltPackages } from '../support/packages.js';

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'rpmbuild' }] as const;
describeOn(NEEDS, "the .rpm of the agent, put in place by Debian's rpm", function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let life: PackagedLife;
  let { plane, device } = {} as PackagedLife;
  let [first, second] = ['', ''];

  before(async () => {
    ({ first, second } = await twoVersions(packages, 'rpm'));
    life = await PackagedLife.start('fresh-3');
    ({ plane, device } = life);
    await plane.json('users', 'create', 'alice', '--role', 'user');
  });
  after(async () => {
    await life.dispose();
    packages.dispose();
  });

  const property = (name: string): Promise<string> => life.property(name);

  it('enrols the device silently, is upgraded in mid-session, and is not replaced by an older one', async () => {
    const installed = await device.rpm(['-i'], first, await device.joinEnv(plane));
    assert.equal(installed.exitCode, 0, installed.stderr);
    await device.untilLinked();
    assert.deepEqual([await property('ActiveState'), await property('UnitFileState')], ['active', 'enabled']);
    await plane.json(
      ...['sessions', 'grant', '--user', 'alice', '--device', 'fresh-3', '--for', '20m', '--reason', 'x', '--wait'],
    );
    const before = await life.live();
    const upgraded = await device.rpm(['-U'], second);
    assert.equal(upgraded.exitCode, 0, upgraded.stderr);
    await device.untilLinked();
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.2.0');
    assert.equal(await life.mayBeRoot(), true);
    assert.deepEqual(await life.live(), before);
    const refused = await device.rpm(['-U', '--oldpackage'], first);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /curfew-agent 0\.2\.0 is installed, and an older one cannot take its place/);
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.2.0');
    assert.equal(await property('ActiveState'), 'active');
  });

  it('ends the session and leaves nothing when it is erased', async () => {
    assert.equal(await life.mayBeRoot(), true);
    await device.erase('curfew-agent');
    assert.equal(await life.mayBeRoot(), false);
    assert.deepEqual(await life.live(), []);
    assert.deepEqual(await life.changes(), []);
  });
});
