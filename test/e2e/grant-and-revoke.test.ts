import assert from 'node:assert/strict';
import { ControlPlane, curfew, curfewJson } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly endReason?: string;
}

describeOn(['devices'], 'a right on a real device', function () {
  this.timeout(240_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;

  before(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }, { name: 'bob' }] });
    agent = await plane.join(device);
  });

  after(async () => {
    await device.dispose();
    await plane.dispose();
  });

  it('is asked for, approved, started, and revoked under an open shell', async () => {
    const shell = device.shell('alice');
    assert.notEqual((await shell.run('sudo -n id -u')).exitCode, 0);
    const asked = await curfew(device, 'alice', 'request', '--for', '30m', '--reason', 'mend the web server');
    assert.equal(asked.exitCode, 0, asked.stderr);
    const early = await curfew(device, 'alice', 'start');
    assert.equal(early.exitCode, 1, early.stdout);
    assert.match(early.stderr, /is pending, so it cannot be started/);
    const requests = await plane.json<{ id: string }[]>('requests', 'list');
    const [request] = requests;
    assert.ok(request);
    await plane.json('requests', 'approve', request.id);
    const started = await curfew(device, 'alice', 'start');
    assert.equal(started.exitCode, 0, started.stderr);
    assert.equal((await shell.run('sudo -n id -u')).stdout, '0\n');
    assert.notEqual((await device.run(['sudo', '-n', 'id', '-u'], { as: 'bob' })).exitCode, 0);
    const [session] = await plane.json<Session[]>('sessions', 'list');
    assert.ok(session);
    assert.equal(session.state, 'SESSION_STATE_ACTIVE');
    const revoked = await plane.curfewctl('sessions', 'revoke', session.id, '--reason', 'enough', '--wait');
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    const refused = await shell.run('sudo -n id -u');
    assert.notEqual(refused.exitCode, 0);
    assert.equal(refused.stdout, '');
    const [ended] = await plane.json<Session[]>('sessions', 'list', '--all');
    assert.ok(ended);
    assert.equal(ended.state, 'SESSION_STATE_ENDED');
    assert.equal(ended.endReason, 'END_REASON_REVOKED');
    // One search follows the revoke: by the id of its call, from the server's log to the device's.
    const called = plane.log.split('\n').find((line) => line.includes('SessionService/RevokeSessions')) ?? '';
    const { requestId = '' } = JSON.parse(called) as { requestId?: string };
    assert.match(requestId, /^[0-9a-f]{16}$/);
    await eventually(() => agent.output.includes(requestId), { withinMs: 5_000, what: 'a line in the log' });
    const lines = agent.output.split('\n').filter((line) => line.includes(requestId));
    const [removed] = lines.map((line) => JSON.parse(line) as { message: string; sessionId: string });
    assert.deepEqual([removed?.message, removed?.sessionId, lines.length], ['right removed', session.id, 1]);
    await shell.close();
  });

  it('runs out by itself, and the person is told', async () => {
    const mayBeRoot = async (): Promise<boolean> =>
      (await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).exitCode === 0;
    const live = async (): Promise<number> => (await plane.json<Session[]>('sessions', 'list')).length;
    const wish = ['sessions', 'grant', '--user', 'alice', '--device', 'web-1', '--reason', 'a short look'];
    let worked = false;
    // On a busy machine a short one may be over before anybody has looked: then a longer one is given.
    for (const seconds of [3, 15, 60]) {
      await plane.json(...wish, '--for', `${seconds}s`);
      const first = await eventually(
        async () => ((await mayBeRoot()) ? 'root' : (await live()) === 0 ? 'nothing' : undefined),
        { withinMs: 90_000, what: 'a right, or its end' },
      );
      worked = first === 'root';
      if (!worked) continue;
      await eventually(async () => !(await mayBeRoot()), { withinMs: (seconds + 7) * 1_000, what: 'no right' });
      break;
    }
    assert.equal(worked, true);
    await eventually(async () => (await live()) === 0, { withinMs: 20_000, what: 'no session' });
    const status = await curfewJson<{ sessions: { endReason: string }[] }>(device, 'alice', 'status');
    assert.equal(status.sessions[0]?.endReason, 'END_REASON_EXPIRED');
  });
});
