import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ControlPlane, startAgent } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly endReason?: string;
}
interface KnownDevice {
  readonly id: string;
  readonly name: string;
  readonly online?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

describeOn(['devices'], 'a device whose disk was wiped', function () {
  this.timeout(400_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;

  before(async () => {
    plane = await ControlPlane.start();
    await plane.json('users', 'create', 'alice', '--role', 'user');
  });
  beforeEach(async () => {
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }] });
    agent = await plane.join(device);
    await plane.json('devices', 'label', 'web-1', 'env=prod');
  });
  afterEach(async () => {
    await device.dispose();
    for (const { id } of await plane.json<{ id: string }[]>('devices', 'list'))
      await plane.json('devices', 'remove', id);
  });
  after(() => plane.dispose());

  const mayBeRoot = async (on = device): Promise<boolean> =>
    (await on.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).exitCode === 0;
  const grant = async (): Promise<string> => {
    const asked = ['--user', 'alice', '--device', 'web-1', '--for', '10m', '--reason', 'a look', '--wait'];
    return (await plane.json<Session>('sessions', 'grant', ...asked)).id;
  };
  const session = (id: string): Promise<Session> => plane.json<Session>('sessions', 'show', id);
  const known = (): Promise<KnownDevice[]> => plane.json<KnownDevice[]>('devices', 'list');
  const online = () => plane.untilReported('web-1');
  /** Enrols a host as web-1, with a token that is for it alone. */
  const enrol = async (on: Device, device: string): Promise<void> => {
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create', '--for', device);
    const server = `${on.network.hostAddress}:${plane.port}`;
    const env = { CURFEW_JOIN_TOKEN: secret };
    const { stderr } = await on.run(['curfew-agent', 'enroll', '--server', server], { env, timeoutMs: 60_000 });
    assert.match(stderr, /^Enrolled as web-1\./);
  };

  it('is the same device again, on which nothing of before is left, and nothing comes back', async () => {
    const id = await grant();
    assert.equal(await mayBeRoot(), true);
    const [before] = await known();
    await agent.stop('SIGKILL');
    rmSync(join(device.root, 'var/lib/curfew'), { recursive: true });
    assert.equal(await mayBeRoot(), true, 'a rule that the image was made with');

    await enrol(device, 'web-1');
    const fresh = await startAgent(device);
    await online();
    assert.equal(await mayBeRoot(), false);
    const after = await known();
    assert.deepEqual(
      after.map(({ id, name, labels }) => ({ id, name, labels })),
      [{ id: before?.id, name: 'web-1', labels: { env: 'prod' } }],
    );
    const ended = await session(id);
    assert.deepEqual([ended.state, ended.endReason], ['SESSION_STATE_ENDING', 'END_REASON_DEVICE_REMOVED']);

    const next = await grant();
    assert.equal(await mayBeRoot(), true);
    await plane.json('sessions', 'revoke', next, '--reason', 'done', '--wait');
    assert.equal(await mayBeRoot(), false);
    assert.equal((await session(next)).state, 'SESSION_STATE_ENDED');
    await fresh.stop();
  });

  it('has a machine that is enrolled as another device without being wiped begin anew, as far as the server can tell', async () => {
    const id = await grant();
    assert.equal(await mayBeRoot(), true);
    await agent.stop('SIGKILL');
    await plane.json('devices', 'remove', 'web-1');
    const { secret } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    const server = `${device.network.hostAddress}:${plane.port}`;
    const env = { CURFEW_JOIN_TOKEN: secret };
    await device.must(['curfew-agent', 'enroll', '--force', '--server', server], { env, timeoutMs: 60_000 });
    await startAgent(device);
    await online();
    assert.equal(await mayBeRoot(), false);
    const next = await grant();
    assert.equal(await mayBeRoot(), true, 'its floors are those of a new device, so it proves no rollback');
    assert.notEqual(next, id);
    await plane.json('sessions', 'revoke', next, '--reason', 'done', '--wait');
  });

  it('takes its place from a machine that goes on with the former key, and that one gives up what it holds', async () => {
    const other = await Device.start({ name: 'web-2', users: [{ name: 'alice' }] });
    try {
      const id = await grant();
      assert.equal(await mayBeRoot(), true);
      // Out of reach: it cannot be told when it happens.
      await device.network.remove();
      await eventually(async () => (await known())[0]?.online !== true, { withinMs: 60_000, what: 'a lost link' });
      await enrol(other, 'web-1');
      await startAgent(other);
      await online();
      assert.deepEqual([await mayBeRoot(), (await session(id)).state], [true, 'SESSION_STATE_ENDING']);

      await device.network.attach(device.pid);
      await eventually(() => agent.output.includes('DEVICE_KEY_REPLACED'), {
        withinMs: 90_000,
        what: 'an agent that hears that its key was replaced',
      });
      await eventually(async () => !(await mayBeRoot()), { withinMs: 5_000, what: 'no right on the former machine' });
      await grant();
      assert.deepEqual([await mayBeRoot(), await mayBeRoot(other)], [false, true]);
      assert.equal((await known()).length, 1);
    } finally {
      await other.dispose();
    }
  });
});
