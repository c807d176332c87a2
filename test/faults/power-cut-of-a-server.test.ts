import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describeOn } from '../support/machine-needs.js';
import { AnsweredCalls } from '../support/power/answered-calls.js';
import { MachineUnderPower } from '../support/power/machine-under-power.js';
import { powerCuts } from '../support/power/power-cuts.js';

describeOn([{ program: 'linux.uml' }, { program: 'mkfs.ext4' }], 'a server whose power is cut', function () {
  const cuts = powerCuts();
  this.timeout(120_000 + cuts * 60_000);
  let machine: MachineUnderPower;

  before(async () => {
    machine = await MachineUnderPower.make();
  });
  after(() => machine.dispose());

  it(`has kept every grant and every revoke that was answered, and its audit log, after each of ${cuts} cuts`, async () => {
    const answered = new AnsweredCalls(machine.file('answered'));
    for (let cut = 0; cut < cuts; cut += 1) {
      machine.boot('', 'server-guest', [machine.file('answered')]);
      await machine.until('READY');
      // Between each answer and the next there is every moment of both calls.
      await machine.until('ANSWERED revoked');
      await pause(randomInt(2_000));
      await machine.cutPower();
      answered.take(machine.lines);
    }
    machine.boot('', 'server-guest', [machine.file('answered')]);
    await machine.until('CHECKED');
    assert.ok(answered.revoked >= cuts, `${answered.revoked} revokes were answered`);
  });
});
