import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { mendNetwork, spoilNetwork } from '../support/bad-network.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { TcpProxy } from '../support/tcp-proxy.js';

/** So often a right is given and taken. */
const ROUNDS = 8;
/** How long anything may take over such a network: TCP waits twice as long after each loss, and an agent after each attempt. */
const PATIENCE_MS = 180_000;
/** How long a revoke waits for its device. */
const REVOKE_SECONDS = 60;
const WEATHER = { lost: 15, doubled: 20 } as const;
const DELAY_MS = 80;

describeOn(['devices', { program: 'nft' }], 'a network that loses packets, doubles them and is slow', function () {
  this.timeout(20 * 60_000);
  let fleet: Fleet;
  let managed: ManagedDevice;
  let proxy: TcpProxy;

  before(async () => {
    fleet = await Fleet.start();
    ({ managed, proxy } = await fleet.behindProxy({ name: 'far' }));
  });

  after(() => fleet.dispose());

  it('carries every grant and every revoke all the same, and nobody says more than is so', async () => {
    const { operator } = fleet;
    await spoilNetwork(managed.device, WEATHER);
    proxy.slow({ delayMs: DELAY_MS });
    const outcomes: RevokeOutcome[] = [];
    const ids = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await operator.grant(managed.name, 600);
      ids.add(id);
      await operator.until(id, [SessionState.ACTIVE], PATIENCE_MS);
      assert.equal(await managed.mayBeRoot(), true, 'a session that is active works');
      const { outcome } = await operator.revoke(id, REVOKE_SECONDS);
      outcomes.push(outcome);
      if (outcome === RevokeOutcome.EFFECTIVE) assert.equal(await managed.mayBeRoot(), false);
      await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
      assert.equal(await managed.mayBeRoot(), false, 'nothing is left of a session that has ended');
    }
    // A link that was given up meanwhile is one that is off line, and nothing else is said of it.
    const known = [RevokeOutcome.EFFECTIVE, RevokeOutcome.PENDING];
    assert.ok(
      outcomes.every((outcome) => known.includes(outcome)),
      outcomes.join(', '),
    );
    assert.ok(outcomes.includes(RevokeOutcome.EFFECTIVE));
    proxy.restore();
    const packets = await mendNetwork(managed.device);
    assert.equal(packets.length, 3);
    assert.ok(
      packets.every((count) => count > 0),
      `lost and doubled: ${packets.join(', ')}`,
    );
    await managed.untilNothingIsLeft();
    assert.equal(ids.size, ROUNDS);
    assert.equal(await fleet.plane.auditProblem(), '');
  });
});
