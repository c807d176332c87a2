import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/wait.js';

/** A strace that lets the first reading of the state file fail, and leaves the agent its process id. */
const UNREADABLE = ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-P', '/var/lib/curfew/state.json'].concat([
  '-e',
  'trace=openat',
  '-e',
  'inject=openat:error=EIO:when=1',
  '--',
]);

/*
 * Why nothing that was revoked can come back when the floor is lost: a lease is good for one nonce, which the agent makes
 * anew for each link and never stores, so whatever was signed before answers no nonce of this process. What is signed
 * from now on is signed for sessions that are live in the server's ledger, and each answer brings the ledger's own floor
 * with it: generation and revoked epoch. Only a ledger that was rolled back could offer a revoked session again; that
 * the checkpoints which the other devices keep still prove.
 */
describeOn(['devices', { program: 'strace' }], 'an agent whose state file is lost', function () {
  this.timeout(180_000);
  let fleet: Fleet;
  let operator: Operator;
  let proxy: TcpProxy;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    ({ managed, proxy } = await fleet.behindProxy({ name: 'web-1' }));
    // Something is below the floor.
    const { id } = await managed.elevate(600);
    await operator.revoke(id);
  });

  after(() => fleet.dispose());

  it('removes every right, leaves the file as it is and ends, when a newer agent has written it', async () => {
    const { id } = await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    const newer = readFileSync(managed.stateFile, 'utf8').replace(/"version":\d+/, '"version":99');
    writeFileSync(managed.stateFile, newer);
    await assert.rejects(managed.startAgent(), /a newer agent has written .* \[STATE_NEWER\]/);
    assert.deepEqual(managed.rules(), []);
    assert.equal(await managed.mayBeRoot(), false);
    assert.equal(readFileSync(managed.stateFile, 'utf8'), newer);
    assert.equal((await operator.session(id)).state, SessionState.ACTIVE, 'nobody has said anything else yet');
    truncateSync(managed.stateFile, 0);
    await managed.startAgent();
    await managed.untilLinked();
    await eventually(() => managed.mayBeRoot(), { withinMs: 30_000, what: 'the session under a fresh lease' });
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    await managed.untilNothingIsLeft();
  });

  const damages: { name: string; damage: (file: string) => void; behind?: string[] }[] = [
    { name: 'overwritten', damage: (file) => writeFileSync(file, Buffer.alloc(512, 0xa5)) },
    { name: 'cut off', damage: (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)) },
    { name: 'empty', damage: (file) => truncateSync(file, 0) },
    { name: 'unreadable', damage: () => undefined, behind: UNREADABLE },
  ];

  for (const { name, damage, behind = [] } of damages)
    it(`removes every right first when it is ${name}; then the session goes on under a fresh lease and a new floor`, async () => {
      const { id } = await managed.elevate(600);
      const before = managed.state();
      assert.ok(before.floorEpoch > 0);
      await managed.agent.stop('SIGKILL');
      proxy.cut();
      damage(managed.stateFile);
      await managed.startAgent(behind);
      assert.match(managed.agent.output, /"message":"the state is damaged, so every right goes"/);
      await managed.untilNothingIsLeft();
      assert.equal(await managed.mayBeRoot(), false);
      assert.equal((await operator.session(id)).state, SessionState.ACTIVE, 'nobody has said anything else yet');
      proxy.restore();
      await managed.untilLinked();
      await eventually(() => managed.mayBeRoot(), { withinMs: 30_000, what: 'the session under a fresh lease' });
      await eventually(() => managed.recorded()[0]?.phase === 'held', { withinMs: 30_000, what: 'a record of it' });
      const now = managed.state();
      assert.deepEqual(
        [now.incarnation, now.floorGeneration, now.floorEpoch >= before.floorEpoch],
        [before.incarnation, before.floorGeneration, true],
      );
      assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
      assert.equal(await managed.mayBeRoot(), false);
      await managed.untilNothingIsLeft();
    });
});
