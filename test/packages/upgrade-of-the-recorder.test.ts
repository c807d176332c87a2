import assert from 'node:assert/strict';
import { ControlPlane } from '../support/control-plane.js';
import { describeOn } from '../support/machine-needs.js';
import { PackagedDevice } from '../support/packaged-device.js';
import { BuiltPackages } from '../support/packages.js';
import type { ToolResult } from '../support/tool.js';
import { eventually } from '../support/wait.js';

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'dpkg-deb' }] as const;
const SOON = { withinMs: 150_000, everyMs: 200 };
const POLICY =
  'policies: [{name: recorded, effect: allow, recording: {mode: output, required: true}, auto_approval: {}}]\n';

describeOn(NEEDS, 'an upgrade while a command is recorded', function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let plane: ControlPlane;
  let device: PackagedDevice;
  let second = '';

  before(async () => {
    const first = await packages.make({ format: 'deb', program: 'agent', version: '0.1.0' });
    second = await packages.make({ format: 'deb', program: 'agent', version: '0.2.0' });
    plane = await ControlPlane.start();
    device = await PackagedDevice.start('fresh-2', [{ name: 'alice' }, { name: 'bob' }]);
    await device.install(first, await device.joinEnv(plane));
    await device.untilLinked();
    await plane.untilReported('fresh-2', 'bob');
    for (const name of ['alice', 'bob']) await plane.json('users', 'create', name, '--role', 'user');
    await device.device.must(['tee', '/tmp/policies.yaml'], { stdin: POLICY });
    await plane.json('policies', 'apply', '--yes', '--prune', '--file', `${device.device.root}/tmp/policies.yaml`);
    await eventually(async () => (await follower()) === '0.1.0', { ...SOON, what: 'the first follower' });
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
    packages.dispose();
  });

  /** The version of the program that records. */
  const follower = async (): Promise<string> => {
    const { stdout } = await device.device.run(['cat', '/run/curfew/processes/follower']);
    return stdout === '' ? '' : (JSON.parse(stdout) as string);
  };
  const followerPid = (): Promise<string> =>
    device.device.must(['systemctl', 'show', '--value', '--property=MainPID', 'curfew-follower.service']);
  const ask = async (user: string): Promise<ToolResult> => {
    const asked = await device.device.run(['curfew', 'request', '--for', '30m', '--reason', 'work'], { as: user });
    assert.equal(asked.exitCode, 0, asked.stderr);
    return device.device.run(['curfew', 'start'], { as: user });
  };

  it('goes on with what it records, gives nothing new to be recorded meanwhile, then makes way', async () => {
    assert.equal((await ask('alice')).exitCode, 0);
    const long = device.device.spawn(['sudo', '-n', 'sh', '-c', 'echo begun; read line; echo "got $line"'], {
      as: 'alice',
    });
    await long.waitFor(/^begun$/m);
    const pid = await followerPid();

    await device.install(second);
    await device.untilLinked();
    assert.deepEqual([await follower(), await followerPid()], ['0.1.0', pid]);
    assert.equal(long.end, undefined);
    assert.equal(await device.mayBeRoot('alice'), true);
    const refused = await ask('bob');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout + refused.stderr, /the recorder is of version 0\.1\.0/);
    assert.equal(await device.mayBeRoot('bob'), false);

    long.write('all of it\n');
    await long.ended;
    assert.match(long.stdout, /^got all of it$/m);
    await eventually(async () => (await follower()) === '0.2.0', { ...SOON, what: 'the follower of the new version' });
    assert.notEqual(await followerPid(), pid);
    assert.equal(await device.mayBeRoot('alice'), true);
    assert.equal((await ask('bob')).exitCode, 0);
    assert.equal(await device.mayBeRoot('bob'), true);

    const [alices] = (await plane.json<{ id: string; account: { name: string } }[]>('sessions', 'list')).filter(
      ({ account }) => account.name === 'alice',
    );
    const states = async (): Promise<string[]> =>
      (await plane.json<{ state: string }[]>('sessions', 'recordings', alices?.id ?? '')).map(({ state }) => state);
    // The long command, one beside it, and one by the new follower: nothing was cut short or left out.
    const complete = 'RECORDING_STATE_COMPLETE';
    await eventually(async () => (await states()).join() === [complete, complete, complete].join(), {
      ...SOON,
      what: 'three whole recordings',
    });
  });
});
