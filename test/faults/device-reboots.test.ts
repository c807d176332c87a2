import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import { eventually } from '../support/wait.js';

describeOn(['devices'], 'a device that reboots in a session', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  let lasting: ManagedDevice;
  let short: ManagedDevice;

  const holdsNothing = async (managed: ManagedDevice): Promise<void> => {
    assert.deepEqual([managed.rules(), managed.armed()], [[], []]);
    const { elevated, visudo, controlUser } = await managed.look();
    assert.deepEqual({ elevated, visudo, controlUser }, { elevated: false, visudo: 0, controlUser: true });
  };

  before(async () => {
    fleet = await Fleet.start();
    lasting = await fleet.device({ name: 'lasting' });
    short = await fleet.device({ name: 'short' });
  });

  after(() => fleet.dispose());

  it('holds nothing, also with no server, until a fresh lease comes; a session that is over by then stays over', async () => {
    const { plane, operator } = fleet;
    const { id } = await lasting.elevate(600);
    // Long enough to be given on a slow machine, short enough to be waited for.
    const over = await short.elevate(10);
    const bootId = await lasting.device.bootId();
    await plane.stop('SIGKILL');
    await Promise.all([lasting, short].map((managed) => managed.device.reboot()));
    assert.notEqual(await lasting.device.bootId(), bootId);
    // Nothing of ours has run yet.
    for (const managed of [lasting, short]) await holdsNothing(managed);
    for (const managed of [lasting, short]) {
      await managed.startAgent();
      await holdsNothing(managed);
      assert.deepEqual(managed.recorded(), []);
    }
    await eventually(() => Date.now() > over.expireTime!.getTime(), { withinMs: 30_000, what: 'the end of a session' });
    for (const managed of [lasting, short]) await holdsNothing(managed);

    await plane.run();
    await eventually(() => lasting.mayBeRoot(), { withinMs: 30_000, what: 'the session under a fresh lease' });
    assert.equal((await operator.session(id)).state, SessionState.ACTIVE);
    assert.equal((await operator.until(over.id, [SessionState.ENDED], 30_000)).endReason, EndReason.EXPIRED);
    // The remover is stood down after the end is told.
    await short.untilNothingIsLeft();
    await holdsNothing(short);
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    await lasting.untilNothingIsLeft();
    await holdsNothing(lasting);
  });
});
