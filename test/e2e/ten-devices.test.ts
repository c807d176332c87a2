import assert from 'node:assert/strict';
import { ControlPlane, curfew } from '../support/control-plane.js';
import type { DeviceShell } from '../support/device-shell.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { treeHash } from '../support/tree-hash.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly endReason?: string;
}

const NAMES = Array.from({ length: 10 }, (_, index) => `laptop-${index}`);

describeOn(['devices'], 'ten devices with real sudo', function () {
  this.timeout(600_000);
  let plane: ControlPlane;
  const devices: Device[] = [];
  let shells: DeviceShell[];
  let machineEtc: string;

  before(async () => {
    machineEtc = await treeHash('/etc');
    plane = await ControlPlane.start();
    for (const name of NAMES) devices.push(await Device.start({ name, users: [{ name: 'alice' }, { name: 'bob' }] }));
    for (const device of devices) await plane.join(device);
    shells = devices.map((device) => device.shell('alice'));
  });

  after(async () => {
    await Promise.all(devices.map((device) => device.dispose()));
    await plane.dispose();
  });

  /** Each open shell's answer to sudo: the uid that it got, '' when refused. */
  const uids = async (): Promise<string[]> => {
    const answers = await Promise.all(shells.map((shell) => shell.run('sudo -n id -u')));
    for (const { exitCode, stdout } of answers) assert.equal(exitCode === 0, stdout === '0\n');
    return answers.map(({ stdout }) => stdout.trim());
  };
  const all = <T>(value: T): T[] => NAMES.map(() => value);

  /** Asks, approves and starts on one device, as the people do. */
  async function elevate(device: Device): Promise<void> {
    const asked = await curfew(device, 'alice', 'request', '--for', '30m', '--reason', `work on ${device.name}`);
    assert.equal(asked.exitCode, 0, asked.stderr);
    const requests = await plane.json<{ id: string; reason: string }[]>('requests', 'list');
    const request = requests.find(({ reason }) => reason === `work on ${device.name}`);
    assert.ok(request, `the request of ${device.name}`);
    await plane.json('requests', 'approve', request.id);
    const started = await curfew(device, 'alice', 'start');
    assert.equal(started.exitCode, 0, started.stderr);
  }

  it('ask, are approved, start and get root; a revoke is felt by the next sudo of an open shell', async () => {
    assert.deepEqual(await uids(), all(''));
    for (const device of devices) await elevate(device);
    assert.deepEqual(await uids(), all('0'));
    for (const device of devices) {
      const others = await device.run(['sudo', '-n', 'id', '-u'], { as: 'bob' });
      assert.notEqual(others.exitCode, 0, `bob on ${device.name}`);
    }
    const sessions = await plane.json<Session[]>('sessions', 'list');
    assert.deepEqual(
      sessions.map(({ state }) => state),
      all('SESSION_STATE_ACTIVE'),
    );

    const first = sessions[0]!;
    const revoked = await plane.curfewctl('sessions', 'revoke', first.id, '--reason', 'enough', '--wait');
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    assert.deepEqual((await uids()).sort(), ['', ...all('0').slice(1)]);
  });

  it('lose all rights by one bulk revoke, each confirmed as effective', async () => {
    const lost = (await uids()).indexOf('');
    await elevate(devices[lost]!);
    assert.deepEqual(await uids(), all('0'));
    const revoked = await plane.curfewctl(
      'sessions',
      'revoke',
      '--everything',
      '--reason',
      'incident',
      '--wait',
      '-o',
      'json',
    );
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    const results = JSON.parse(revoked.stdout) as { outcome: string; effectiveTime?: string }[];
    assert.deepEqual(
      results.map(({ outcome }) => outcome),
      all('REVOKE_OUTCOME_EFFECTIVE'),
    );
    assert.ok(results.every(({ effectiveTime }) => Date.parse(effectiveTime ?? '') > 0));
    assert.deepEqual(await uids(), all(''));
    assert.deepEqual(await plane.json<Session[]>('sessions', 'list'), []);
    const ended = await plane.json<Session[]>('sessions', 'list', '--all');
    assert.equal(ended.length, 11);
    assert.ok(ended.every(({ endReason }) => endReason === 'END_REASON_REVOKED'));
    const rules = await Promise.all(devices.map((device) => device.must(['ls', '-A', '/run/curfew/sudoers.d'])));
    assert.deepEqual(rules, all(''));
    assert.equal(await treeHash('/etc'), machineEtc);
  });
});
