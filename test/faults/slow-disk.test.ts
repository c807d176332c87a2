import { RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import { AttachedStrace } from '../support/strace-attach.js';
import { MainThreadStrace } from '../support/strace-main-thread.js';
import { eventually } from '../support/wait.js';

/** How long after its deadline a right may be there while the agent runs (design: invariant 1), on the boot clock. */
const OVERSTAY_MS = 1_000;
/** What each flush takes. */
const [DEVICE_FLUSH_MS, SERVER_FLUSH_MS] = [2_000, 400];
const PATIENCE_MS = 60_000;

describeOn(['devices', { program: 'strace' }], 'a disk that takes long for every flush', function () {
  this.timeout(300_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start();
    managed = await fleet.device({ name: 'web-1' });
    await managed.untilAtRest();
  });

  after(() => fleet.dispose());

  describe('of a device', () => {
    let strace: AttachedStrace;

    beforeEach(async () => {
      strace = await AttachedStrace.slowFlushes(managed.device, await managed.agent.pid(), DEVICE_FLUSH_MS);
    });

    afterEach(async () => {
      assert.ok(strace.struck, 'no flush was slow');
      await strace.detach();
      await managed.untilNothingIsLeft();
    });

    it('holds up what is said, and not what is taken: the rule is gone before anybody says so', async () => {
      const { operator } = fleet;
      const { id } = await operator.grant(managed.name, 600);
      await operator.until(id, [SessionState.ACTIVE], PATIENCE_MS);
      assert.equal(await managed.mayBeRoot(), true);
      const revoked = operator.revoke(id, PATIENCE_MS / 1_000);
      await eventually(() => managed.rules().length === 0, { withinMs: PATIENCE_MS, everyMs: 2, what: 'no rule' });
      const { state } = await operator.session(id);
      assert.equal(await managed.mayBeRoot(), false);
      assert.equal(state, SessionState.ENDING, 'what is not on the disk is not told');
      assert.equal((await revoked).outcome, RevokeOutcome.EFFECTIVE);
      assert.equal((await operator.session(id)).state, SessionState.ENDED);
    });

    it('lengthens no right', async () => {
      const { operator } = fleet;
      const { id } = await operator.grant(managed.name, 20);
      await operator.until(id, [SessionState.ACTIVE], PATIENCE_MS);
      const over = managed.recorded()[0]!.deadline;
      await eventually(() => managed.rules().length === 0, { withinMs: PATIENCE_MS, everyMs: 2, what: 'no rule' });
      const lateMs = managed.bootTime() - over;
      assert.ok(lateMs <= OVERSTAY_MS, `gone ${lateMs} ms after its deadline`);
      await operator.until(id, [SessionState.ENDED], PATIENCE_MS);
    });
  });

  describe('of the server', () => {
    it('makes it slow and nothing else: many calls share a flush, and the links stay', async () => {
      const { operator, plane } = fleet;
      const links = managed.linkUps;
      const strace = await MainThreadStrace.slowFlushes(plane.pid, SERVER_FLUSH_MS);
      const { id } = await managed.elevate(600);
      assert.equal(await managed.mayBeRoot(), true);
      const users = Array.from({ length: 20 }, (_, at) => `user-${at}`);
      const before = strace.delayed;
      const calls = users.map((name) => operator.createUser(name));
      const { outcome } = await operator.revoke(id, PATIENCE_MS / 1_000);
      assert.equal(outcome, RevokeOutcome.EFFECTIVE);
      assert.equal(await managed.mayBeRoot(), false);
      await Promise.all(calls);
      const flushes = strace.delayed - before;
      await strace.detach();
      assert.ok(flushes > 0 && flushes < users.length, `${flushes} flushes`);
      assert.deepEqual([managed.linkUps, (await operator.device(managed.name)).online], [links, true]);
      assert.equal(await plane.auditProblem(), '');
    });
  });
});
