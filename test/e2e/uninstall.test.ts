import assert from 'node:assert/strict';
import { ControlPlane, startAgent } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import { DEVICE_PATH } from '../support/device-init.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly endReason?: string;
}
interface Removed {
  readonly agentWasRunning: boolean;
  readonly endedSessions: readonly string[];
  readonly serverTold: boolean;
  readonly deviceOnServer: string;
}

describeOn(['devices'], 'curfew-agent status and uninstall', function () {
  this.timeout(400_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;
  let etc: string;

  before(async () => {
    plane = await ControlPlane.start();
    await plane.json('users', 'create', 'alice', '--role', 'user');
  });
  beforeEach(async () => {
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }] });
    etc = await device.etcHash();
    agent = await plane.join(device);
  });
  afterEach(async () => {
    await device.dispose();
    for (const { id } of await plane.json<{ id: string }[]>('devices', 'list'))
      await plane.json('devices', 'remove', id);
  });
  after(() => plane.dispose());

  const mayBeRoot = async (): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).exitCode === 0;
  const grant = async (): Promise<string> => {
    const asked = ['--user', 'alice', '--device', 'web-1', '--for', '10m', '--reason', 'a look', '--wait'];
    const { id } = await plane.json<Session>('sessions', 'grant', ...asked);
    assert.equal(await mayBeRoot(), true);
    return id;
  };
  const session = (id: string): Promise<Session> => plane.json<Session>('sessions', 'show', id);
  const uninstall = async (): Promise<Removed> =>
    JSON.parse(await device.must(['curfew-agent', 'uninstall', '-o', 'json'], { timeoutMs: 120_000 })) as Removed;

  async function leftNothing(): Promise<void> {
    assert.equal(await mayBeRoot(), false);
    assert.equal(await device.etcHash(), etc);
    for (const folder of ['/run/curfew', '/var/lib/curfew'])
      assert.equal((await device.run(['test', '-e', folder])).exitCode, 1, folder);
    await eventually(() => agent.end, { withinMs: 20_000, what: 'the end of the agent' });
  }

  it('show a person what the agent holds, and a program the same', async () => {
    const id = await grant();
    const shown = await device.must(['curfew-agent', 'status']);
    assert.match(shown, /^link: +up$/m);
    assert.match(shown, /^can give: +sudo rules$/m);
    assert.match(shown, /^remover: +watchdog-process$/m);
    assert.match(
      shown,
      new RegExp(`^${id} +alice \\(\\d+\\) +sudo, every command +\\S+ \\(in (?:10m|9m\\d+s)\\)$`, 'm'),
    );
    const json = JSON.parse(await device.must(['curfew-agent', 'status', '-o', 'json'])) as Record<string, unknown>;
    assert.deepEqual([json['deviceName'], json['serverLinked']], ['web-1', true]);
    assert.match(await device.must(['curfew-agent', 'status', '-o', 'yaml']), /^deviceName: "web-1"$/m);
    const refused = await device.run(['curfew-agent', 'status'], { as: 'alice' });
    assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
    await agent.stop();
    const unreachable = await device.run(['curfew-agent', 'status']);
    assert.deepEqual([unreachable.exitCode, unreachable.stdout], [5, '']);
    assert.match(unreachable.stderr, /AGENT_UNREACHABLE/);
    assert.equal((await device.run(['curfew-agent', 'status', '-o', 'xml'])).exitCode, 2);
  });

  it('end sessions through the agent, which tells the server, and leave the machine as it was', async () => {
    const id = await grant();
    const removed = await uninstall();
    assert.deepEqual(removed, {
      agentWasRunning: true,
      endedSessions: [id],
      serverTold: true,
      deviceOnServer: 'web-1',
    });
    await leftNothing();
    assert.equal((await session(id)).state, 'SESSION_STATE_ENDED');
    assert.equal((await session(id)).endReason, 'END_REASON_ENDED_BY_USER');
    const again = await uninstall();
    assert.deepEqual(again, { agentWasRunning: false, endedSessions: [], serverTold: false, deviceOnServer: '' });
    await leftNothing();
  });

  for (const state of ['runs', 'is dead'] as const)
    it(`go on to their end when uninstall is called from inside a session, while the agent ${state}`, async () => {
      const id = await grant();
      if (state === 'is dead') await agent.stop('SIGKILL');
      const called = await device.run(
        ['sudo', '-n', 'env', `PATH=${DEVICE_PATH}`, 'curfew-agent', 'uninstall', '-o', 'json'],
        { as: 'alice', timeoutMs: 120_000 },
      );
      assert.equal(called.exitCode, 0, called.stderr);
      assert.deepEqual((JSON.parse(called.stdout) as Removed).endedSessions, [id]);
      await leftNothing();
    });

  it('work while the agent is dead, and say that the server was not told', async () => {
    const id = await grant();
    await agent.stop('SIGKILL');
    const removed = await uninstall();
    assert.deepEqual(removed, {
      agentWasRunning: false,
      endedSessions: [id],
      serverTold: false,
      deviceOnServer: 'web-1',
    });
    await leftNothing();
    assert.equal((await session(id)).state, 'SESSION_STATE_ACTIVE');
    await eventually(async () => (await device.run(['pgrep', '-f', 'curfew-watchdog'])).exitCode === 1, {
      withinMs: 10_000,
      what: 'no watchdog',
    });
  });

  it('work while the agent hangs, and while the server is out of reach', async () => {
    const id = await grant();
    await device.network.remove();
    await agent.kill('SIGSTOP');
    const removed = await uninstall();
    assert.deepEqual(removed, {
      agentWasRunning: true,
      endedSessions: [id],
      serverTold: false,
      deviceOnServer: 'web-1',
    });
    // What started it was stopped together with it.
    await agent.kill('SIGCONT');
    await leftNothing();
  });

  it('can keep the enrolment, so that the agent runs again without a token', async () => {
    await device.must(['curfew-agent', 'uninstall', '--keep-enrolment']);
    assert.equal(await device.etcHash(), etc);
    agent = await startAgent(device);
    await grant();
  });

  it('are not needed where the agent cleans up itself, also when it is stopped while it starts', async () => {
    await device.must(['curfew-agent', 'uninstall', '--keep-enrolment']);
    agent = device.spawn(['curfew-agent', 'run', '--end-sessions-on-exit']);
    // Its drop-in is there before it is ready.
    await device.must([
      'bash',
      '-c',
      'until [ -e /etc/sudoers.d/zz-curfew ]; do sleep 0.01; done; pkill -f -- --end-sess',
    ]);
    assert.deepEqual(await agent.ended, { exitCode: 0, signal: null });
    assert.equal(await device.etcHash(), etc);
    agent = await startAgent(device, ['--end-sessions-on-exit']);
    const id = await grant();
    assert.deepEqual(await agent.stop('SIGTERM', 60_000), { exitCode: 0, signal: null });
    assert.equal(await mayBeRoot(), false);
    assert.equal(await device.etcHash(), etc);
    assert.equal((await session(id)).state, 'SESSION_STATE_ENDED');
  });

  it('tell an agent that is not enrolled from one that fails', async () => {
    await uninstall();
    const { exitCode, stderr } = await device.run(['curfew-agent', 'run']);
    assert.equal(exitCode, 4);
    assert.match(stderr, /DEVICE_UNKNOWN\]\nenrol with: curfew-agent enroll/);
    assert.equal((await device.run(['test', '-e', '/etc/sudoers.d/zz-curfew'])).exitCode, 1);
  });
});
