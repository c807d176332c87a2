import assert from 'node:assert/strict';
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

/** The bound for a dead agent (design: invariant 1), and how long the session lasts. */
const [DEAD_AGENT_BOUND_MS, SESSION_MS] = [5_000, 4_000];

describeOn(['devices'], 'a right whose agent is dead', function () {
  this.timeout(120_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;

  const mayBeRoot = async (): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).exitCode === 0;

  const active = async (): Promise<boolean> =>
    (await plane.json<Session[]>('sessions', 'list'))[0]?.state === 'SESSION_STATE_ACTIVE';

  beforeEach(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }] });
    agent = await plane.join(device);
    await eventually(
      async () => (await plane.json<{ accounts?: unknown[] }>('devices', 'show', 'web-1')).accounts !== undefined,
      {
        withinMs: 10_000,
        what: 'the accounts of the device',
      },
    );
    await plane.json('users', 'create', 'alice', '--role', 'user');
  });

  afterEach(async () => {
    await agent.kill('SIGCONT').catch(() => undefined);
    await device.dispose();
    await plane.dispose();
  });

  /** Gives alice a session and waits until it works; gives when it must be over at the latest. */
  async function elevated(forTime: string, ms: number): Promise<number> {
    await plane.json(
      'sessions',
      'grant',
      '--user',
      'alice',
      '--device',
      'web-1',
      '--for',
      forTime,
      '--reason',
      'a look',
    );
    const began = performance.now();
    await eventually(mayBeRoot, { withinMs: 3_000, what: 'a right that works' });
    // Only a right that the agent has recorded as held survives the agent's death; it says so by reporting it.
    await eventually(active, { withinMs: 3_000, what: 'an active session' });
    return began + ms;
  }

  for (const [name, kill] of [
    ['killed', async () => agent.kill('SIGKILL')],
    ['stopped', async () => agent.kill('SIGSTOP')],
  ] as const)
    it(`ends on time when the agent was ${name}`, async () => {
      const end = await elevated('4s', SESSION_MS);
      await kill();
      assert.equal(await mayBeRoot(), true);
      await eventually(async () => !(await mayBeRoot()), {
        withinMs: SESSION_MS + DEAD_AGENT_BOUND_MS,
        what: 'a refused sudo',
      });
      assert.ok(performance.now() <= end + DEAD_AGENT_BOUND_MS, 'within the bound');
      const rules = await device.must(['ls', '/run/curfew/sudoers.d']);
      await eventually(async () => (await device.must(['ls', '/run/curfew/sudoers.d'])) === '', {
        withinMs: DEAD_AGENT_BOUND_MS,
        what: `no rule left of ${rules}`,
      });
    });

  it('is cleaned up without a network when the agent starts again, and told later', async () => {
    const end = await elevated('5s', 5_000);
    await agent.kill('SIGKILL');
    // Nothing of ours is left alive: the rule stays, and sudo itself refuses.
    await device.must(['pkill', '-f', 'curfew-watchdog']);
    await device.network.remove();
    await eventually(async () => !(await mayBeRoot()), { withinMs: 10_000, what: 'a refused sudo' });
    await eventually(() => performance.now() > end, { withinMs: 5_000, what: 'the end of the session' });
    assert.notEqual(await device.must(['ls', '/run/curfew/sudoers.d']), '');
    agent = await startAgent(device);
    assert.equal(await device.must(['ls', '/run/curfew/sudoers.d']), '');
    const waiting = await plane.json<Session[]>('sessions', 'list');
    assert.equal(waiting[0]?.state, 'SESSION_STATE_ENDING');
    await device.network.attach(device.pid);
    await eventually(async () => (await plane.json<Session[]>('sessions', 'list')).length === 0, {
      withinMs: 30_000,
      what: 'a confirmed end',
    });
  });

  it('goes on after a restart of the agent, and ends with a reboot until a fresh lease comes', async () => {
    await elevated('10m', 600_000);
    await agent.kill('SIGKILL');
    agent = await startAgent(device);
    assert.equal(await mayBeRoot(), true);
    await device.reboot();
    assert.equal(await mayBeRoot(), false);
    agent = await startAgent(device);
    await eventually(mayBeRoot, { withinMs: 10_000, what: 'the session under a fresh lease' });
    const revoked = await plane.curfewctl('sessions', 'revoke', '--everything', '--reason', 'enough', '--wait');
    assert.equal(revoked.exitCode, 0, revoked.stderr);
    assert.equal(await mayBeRoot(), false);
  });

  it('is pending, never effective, while the device is out of reach; and ends when it is back', async () => {
    await elevated('10m', 600_000);
    await device.network.remove();
    await eventually(async () => !(await plane.json<{ online?: boolean }>('devices', 'show', 'web-1')).online, {
      withinMs: 12_000,
      what: 'an offline device',
    });
    const revoke = await plane.curfewctl('sessions', 'revoke', '--user', 'alice', '--reason', 'enough', '-o', 'json');
    const [result] = JSON.parse(revoke.stdout) as { outcome: string; diesByTime: string; effectiveTime?: string }[];
    assert.equal(result?.outcome, 'REVOKE_OUTCOME_PENDING');
    assert.ok(Date.parse(result.diesByTime) > 0);
    assert.equal(result.effectiveTime, undefined);
    assert.equal(await mayBeRoot(), true);
    await device.network.attach(device.pid);
    await eventually(async () => !(await mayBeRoot()), { withinMs: 30_000, what: 'a refused sudo' });
    await eventually(async () => (await plane.json<Session[]>('sessions', 'list')).length === 0, {
      withinMs: 5_000,
      what: 'a confirmed end',
    });
  });
});
