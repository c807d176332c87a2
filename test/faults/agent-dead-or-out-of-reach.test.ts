import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { DEAD_AGENT_BOUND_MS } from '../support/agent-kills.js';
import { DEVICE_BIN, DEVICE_PROGRAM } from '../support/device-init.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';
import { eventually } from '../support/wait.js';

/** Long enough to be given on a slow machine, short enough to be waited for. */
const SESSION_SECONDS = 10;

const untilWall = (ms: number): Promise<true> =>
  eventually(() => Date.now() >= ms, { withinMs: 60_000, what: 'the end of the session' });

describeOn(['devices'], 'a right whose agent is dead or out of reach', function () {
  this.timeout(240_000);
  let fleet: Fleet;
  let operator: Operator;
  const devices: ManagedDevice[] = [];
  const device = (name: string): ManagedDevice => devices.find((managed) => managed.name === name)!;

  const deaths: Record<string, (managed: ManagedDevice) => Promise<unknown>> = {
    killed: (managed) => managed.agent.stop('SIGKILL'),
    stopped: (managed) => managed.agent.kill('SIGSTOP'),
    deleted: async (managed) => {
      await managed.agent.stop('SIGKILL');
      const folders = ['agent', 'shared', 'proto'].map((folder) => `${DEVICE_PROGRAM}/${folder}`).join(' ');
      await managed.device.must(['bash', '-c', `umount -l ${DEVICE_BIN}/node && rm -r ${folders} ${DEVICE_BIN}`]);
      const started = await managed.device.run([`${DEVICE_BIN}/curfew-agent`, 'run']);
      assert.notEqual(started.exitCode, 0);
      assert.equal((await managed.device.run(['pgrep', '-f', 'curfew-agent.*run$'])).stdout, '', 'no agent is there');
    },
  };

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    for (const name of Object.keys(deaths)) devices.push(await fleet.device({ name }));
  });

  after(() => fleet.dispose());

  it('ends on time, whether the agent was killed, stopped or deleted with all of its program', async () => {
    const ends = devices.map(async (managed) => {
      const { id } = await managed.elevate(SESSION_SECONDS);
      const { wallEnd } = managed.recorded()[0]!;
      await deaths[managed.name]!(managed);
      await untilWall(wallEnd);
      assert.equal(await managed.mayBeRoot(), false, `${managed.name}: sudo itself refuses`);
      await eventually(() => managed.rules().length === 0, { withinMs: DEAD_AGENT_BOUND_MS, what: 'no rule left' });
      const ruleGoneAfterMs = Date.now() - wallEnd;
      assert.equal(await managed.mayBeRoot(), false);
      assert.equal((await operator.session(id)).state, SessionState.ENDING, 'nobody has confirmed it');
      return { name: managed.name, ruleGoneAfterMs };
    });
    console.log(await Promise.all(ends));
    await device('killed').startAgent();
    await device('stopped').agent.kill('SIGCONT');
    for (const name of ['killed', 'stopped']) await device(name).untilNothingIsLeft();
  });

  it('is cleaned up without a network when the agent starts again, and told later', async () => {
    const managed = device('killed');
    const { id } = await managed.elevate(SESSION_SECONDS);
    const { wallEnd } = managed.recorded()[0]!;
    await managed.agent.stop('SIGKILL');
    // Nothing of ours is left alive: the rule stays, and sudo itself refuses.
    await managed.device.must(['pkill', '-f', 'curfew-watchdog']);
    await managed.device.network.remove();
    await untilWall(wallEnd);
    assert.equal(await managed.mayBeRoot(), false);
    assert.equal(managed.rules().length, 1);
    await managed.startAgent();
    await managed.untilNothingIsLeft();
    assert.equal((await operator.session(id)).state, SessionState.ENDING, 'nobody has confirmed it');
    await managed.device.network.attach(managed.device.pid);
    assert.equal((await operator.until(id, [SessionState.ENDED], 60_000)).endReason, EndReason.EXPIRED);
  });

  it('goes on when the agent starts again, time after time', async () => {
    const managed = device('killed');
    const { id } = await managed.elevate(600);
    for (let times = 0; times < 3; times += 1) {
      await managed.agent.stop('SIGKILL');
      assert.equal(await managed.mayBeRoot(), true);
      await managed.startAgent();
      assert.equal(await managed.mayBeRoot(), true, managed.agent.output);
      await managed.untilLinked();
      assert.equal(await managed.mayBeRoot(), true, managed.agent.output);
    }
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    assert.equal(await managed.mayBeRoot(), false);
  });

  it('is pending, never effective, while the cable is out; and ends when it is back', async () => {
    const managed = device('stopped');
    const { id, expireTime } = await managed.elevate(600);
    await managed.device.network.remove();
    await managed.untilOffline();
    const revoked = await operator.revoke(id, 0);
    assert.equal(revoked.outcome, RevokeOutcome.PENDING);
    assert.deepEqual(revoked.diesByTime, expireTime);
    assert.equal(revoked.effectiveTime, undefined);
    assert.equal(await managed.mayBeRoot(), true);
    await managed.device.network.attach(managed.device.pid);
    const ended = await operator.until(id, [SessionState.ENDED], 60_000);
    assert.equal(ended.endReason, EndReason.REVOKED);
    assert.equal(await managed.mayBeRoot(), false);
  });

  it('is cleaned up even when the agent can no longer tell who it is', async () => {
    const managed = device('killed');
    await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    await managed.device.must(['pkill', '-f', 'curfew-watchdog']);
    await managed.sleepUntil(managed.recorded()[0]!.deadline);
    assert.equal(await managed.mayBeRoot(), true, 'nothing is there to end it');
    await managed.device.must(['truncate', '-s', '10', '/var/lib/curfew/identity.json']);
    const started = await managed.device.run([`${DEVICE_BIN}/curfew-agent`, 'run'], { timeoutMs: 60_000 });
    assert.equal(started.exitCode, 1);
    assert.match(started.stderr, /^curfew-agent: .*JSON/m);
    assert.equal(await managed.mayBeRoot(), false);
    await managed.untilNothingIsLeft();
  });
});
