import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEAD_AGENT_BOUND_MS } from '../support/agent-kills.js';
import { curfew } from '../support/control-plane.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import { eventually } from '../support/wait.js';

const POLICIES = `policies:
  - name: laptops
    effect: allow
    auto_approval: {}
    offline:
      end_after: 1m
`;
const RULE_MS = 60_000;

describeOn(['devices'], 'a session that ends some time after the link is lost', function () {
  this.timeout(400_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start();
    managed = await fleet.device({ name: 'laptop-1' });
    const file = join(fleet.plane.folder, 'policies.yaml');
    writeFileSync(file, POLICIES);
    const applied = await fleet.plane.curfewctl('policies', 'apply', '-f', file, '--prune', '--yes');
    assert.equal(applied.exitCode, 0, applied.stderr);
  });
  after(() => fleet.dispose());

  /** Alice asks on the device, is approved by the policy, and starts. */
  async function begin(): Promise<string> {
    const asked = await curfew(managed.device, 'alice', 'request', '--for', '30m', '--reason', 'why');
    assert.equal(asked.exitCode, 0, asked.stderr);
    const started = await curfew(managed.device, 'alice', 'start');
    assert.equal(started.exitCode, 0, started.stderr);
    assert.equal(await managed.mayBeRoot(), true);
    const [session] = await fleet.operator.live();
    assert.deepEqual([session?.policyName, session?.offlineEndAfter?.seconds], ['laptops', 60n]);
    return session?.id ?? '';
  }

  async function pullTheCable(): Promise<void> {
    await managed.device.network.remove();
    await managed.untilOffline();
    await eventually(() => managed.agent.output.includes('"message":"link down"'), {
      withinMs: 15_000,
      what: 'an agent that knows that its link is down',
    });
  }

  async function plugIn(): Promise<void> {
    await managed.device.network.attach(managed.device.pid);
    await managed.untilOnline(40_000);
  }

  it('is ended by its agent when that time is over, and says so when the link is back', async () => {
    const id = await begin();
    await pullTheCable();
    // What is on disk may be older than what the agent knows: the right ends no earlier than the one, no later than the other.
    const { linkSeen = 0 } = managed.state();
    await managed.sleepUntil(Math.max(managed.bootTime(), linkSeen + RULE_MS - 5_000));
    assert.equal(await managed.mayBeRoot(), true);
    await managed.sleepUntil(managed.bootTime() + RULE_MS);
    await eventually(() => managed.rules().length === 0, { withinMs: 5_000, what: 'no rule left' });
    assert.equal(await managed.mayBeRoot(), false);
    await plugIn();
    const ended = await fleet.operator.until(id, [SessionState.ENDED], 40_000);
    assert.equal(ended.endReason, EndReason.EXPIRED);
    assert.match(ended.endDetail, /the link was down for 1m|out of reach for longer than the policy allows/);
    await managed.untilNothingIsLeft();
  });

  it('dies by itself by the time that a revoke names, though its agent was killed', async () => {
    const id = await begin();
    const armedUntil = managed.bootTime() + RULE_MS;
    await managed.agent.stop('SIGKILL');
    await managed.untilOffline();
    const revoked = await fleet.operator.revoke(id, 0);
    assert.equal(revoked.outcome, RevokeOutcome.PENDING);
    const offlineSince = revoked.session?.deviceOfflineSinceTime?.getTime() ?? 0;
    assert.ok((revoked.diesByTime?.getTime() ?? 0) <= offlineSince + RULE_MS + 15_000, 'no later than the rule says');
    assert.equal(await managed.mayBeRoot(), true);
    await managed.sleepUntil(armedUntil);
    await eventually(() => managed.rules().length === 0, { withinMs: DEAD_AGENT_BOUND_MS, what: 'no rule left' });
    assert.equal(await managed.mayBeRoot(), false);
    await managed.startAgent();
    await fleet.operator.until(id, [SessionState.ENDED], 40_000);
    await managed.untilNothingIsLeft();
  });
});
