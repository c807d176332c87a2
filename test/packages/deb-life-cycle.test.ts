import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeOn } from '../support/machine-needs.js';
import { PackagedLife, twoVersions } from '../support/packaged-life.js';
import { BuiltPackages } from '../support/packages.js';
import { eventually } from '../support/wait.js';

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'dpkg-deb' }] as const;

/** A token for the same server that nobody has made. */
const unknown = (token: string): string => token.replace(/^cfj1\.[^.]+/, `cfj1.${'x'.repeat(32)}`);

describeOn(NEEDS, 'the .deb of the agent on a fresh Debian', function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let life: PackagedLife;
  let { plane, device } = {} as PackagedLife;
  let [first, second] = ['', ''];

  before(async () => {
    ({ first, second } = await twoVersions(packages, 'deb'));
    life = await PackagedLife.start('fresh-1');
    ({ plane, device } = life);
  });
  after(async () => {
    await life.dispose();
    packages.dispose();
  });

  const property = (name: string): Promise<string> => life.property(name);

  it('is installed silently: the device is enrolled, linked, and has nothing of the token', async () => {
    const env = await device.joinEnv(plane);
    const installed = await device.dpkg(first, env, ['apt-get', 'install', '--yes']);
    assert.equal(installed.exitCode, 0, installed.stdout + installed.stderr);
    await device.untilLinked();
    assert.equal(await property('ActiveState'), 'active');
    assert.equal(await property('UnitFileState'), 'enabled');
    const found = await device.device.run(['grep', '-rIl', env.TOKEN, '/etc', '/var', '/usr', '/run', '/tmp', '/root']);
    assert.deepEqual([found.exitCode, found.stdout], [1, '']);
  });

  it('gives a right that is asked for, approved, started, and revoked', async () => {
    assert.equal(await life.mayBeRoot(), false);
    const { id } = await life.elevated();
    assert.equal(await life.mayBeRoot(), true);
    await life.revoke(id);
    assert.equal(await life.mayBeRoot(), false);
    assert.equal((await life.session(id)).endReason, 'END_REASON_REVOKED');
  });

  it('is upgraded in mid-session, which is neither lost nor lengthened', async () => {
    const live = await life.elevated();
    await device.install(second);
    await device.untilLinked();
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.2.0');
    assert.equal(await life.mayBeRoot(), true);
    const { state, expireTime } = await life.session(live.id);
    assert.deepEqual({ state, expireTime }, { state: 'SESSION_STATE_ACTIVE', expireTime: live.expireTime });
  });

  it('is not replaced by an older one', async () => {
    const refused = await device.dpkg(first);
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /curfew-agent 0\.2\.0 is installed, and an older one cannot take its place/);
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.2.0');
    assert.equal(await life.mayBeRoot(), true);
    assert.equal(await property('ActiveState'), 'active');
  });

  it('ends every session when it is removed, and keeps who the device is', async () => {
    const [live] = await life.live();
    assert.ok(live);
    await device.device.must(['dpkg', '--remove', 'curfew-agent'], { timeoutMs: 120_000 });
    assert.equal(await life.mayBeRoot(), false);
    assert.equal((await life.session(live.id)).endReason, 'END_REASON_ENDED_BY_USER');
    await device.install(first);
    await device.untilLinked();
    assert.equal(await property('UnitFileState'), 'enabled');
  });

  it('leaves nothing when it is purged', async () => {
    await life.elevated();
    assert.equal(await life.mayBeRoot(), true);
    await device.device.must(['dpkg', '--purge', 'curfew-agent'], { timeoutMs: 120_000 });
    assert.equal(await life.mayBeRoot(), false);
    assert.deepEqual(await life.changes(), []);
    assert.equal((await device.device.run(['ls', '/run/curfew'])).exitCode, 2);
  });

  it('joins a server by a file that may come later, and forgets the token, be it right or wrong', async () => {
    await device.install(first);
    assert.deepEqual([await property('ActiveState'), await property('UnitFileState')], ['inactive', 'enabled']);
    const env = await device.joinEnv(plane);
    const say = (token: string): Promise<string> =>
      device.device.must(['tee', '/etc/curfew/enroll.env'], { stdin: `SERVER=${env.SERVER}\nTOKEN=${token}\n` });
    const isGone = (): Promise<unknown> =>
      eventually(async () => (await device.device.run(['test', '-e', '/etc/curfew/enroll.env'])).exitCode === 1, {
        withinMs: 90_000,
        everyMs: 100,
        what: 'a token that is forgotten',
      });
    await say(unknown(env.TOKEN));
    await isGone();
    await device.untilLogged('curfew-agent-enroll', /JOIN_TOKEN_INVALID/);
    assert.equal((await device.device.run(['test', '-e', '/var/lib/curfew/identity.json'])).exitCode, 1);
    await say(env.TOKEN);
    await device.untilLinked();
    await isGone();
    await device.device.must(['dpkg', '--purge', 'curfew-agent'], { timeoutMs: 120_000 });
    assert.deepEqual(await life.changes(), []);
  });

  it('is not configured when the server refuses the token, and is with the right one', async () => {
    const env = await device.joinEnv(plane);
    const refused = await device.dpkg(first, { ...env, TOKEN: unknown(env.TOKEN) });
    assert.notEqual(refused.exitCode, 0);
    assert.match(refused.stderr, /JOIN_TOKEN_INVALID[^]*curfew-agent is installed, and this machine is not enrolled/);
    assert.match(
      await device.device.must(['dpkg', '--status', 'curfew-agent']),
      /^Status: install ok half-configured$/m,
    );
    await device.device.must(['dpkg', '--configure', 'curfew-agent'], { env, timeoutMs: 60_000 });
    await device.untilLinked();
    assert.match(await device.device.must(['dpkg', '--status', 'curfew-agent']), /^Status: install ok installed$/m);
  });

  it('ends every right and stays away when a newer agent has written the state', async () => {
    await life.elevated();
    const state = join(device.device.root, 'var/lib/curfew/state.json');
    await device.device.must(['systemctl', 'stop', 'curfew-agent.service']);
    assert.equal(await life.mayBeRoot(), true);
    const newer = readFileSync(state, 'utf8').replace(/^\{"version":\d+,/, '{"version":99,"more":[],');
    writeFileSync(state, newer);
    assert.notEqual((await device.device.run(['systemctl', 'start', 'curfew-agent.service'])).exitCode, 0);
    assert.deepEqual([await property('ExecMainStatus'), await property('NRestarts')], ['6', '0']);
    assert.equal(await life.mayBeRoot(), false);
    assert.equal(readFileSync(state, 'utf8'), newer);
    await device.untilLogged('curfew-agent', /STATE_NEWER/);
  });
});
