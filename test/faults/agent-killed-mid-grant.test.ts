import { SessionState } from '@curfew/proto';
import { killAtEveryPoint } from '../support/agent-kills.js';
import { granting, ONE_POOL_THREAD } from '../support/faults-at-points.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';

describeOn(['devices', { program: 'strace' }], 'an agent that is killed while it makes a right', function () {
  // Every step has a limit of its own; there are about 80 kills.
  this.timeout(900_000);
  let fleet: Fleet;
  let operator: Operator;
  const devices: ManagedDevice[] = [];

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    for (const name of ['web-1', 'web-2']) devices.push(await fleet.device({ name, env: ONE_POOL_THREAD }));
  });

  after(() => fleet.dispose());

  it('leaves no right without a record and a remover, whatever it was doing', async () => {
    const work = granting(operator, 600, ({ id }) => operator.until(id, [SessionState.ACTIVE]));
    console.log(await killAtEveryPoint(devices, operator, work));
  });
});
