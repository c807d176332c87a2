import { SessionState } from '@curfew/proto';
import { killAtEveryPoint } from '../support/agent-kills.js';
import { ONE_POOL_THREAD, removing } from '../support/faults-at-points.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';

describeOn(['devices', { program: 'strace' }], 'an agent that is killed while it removes a right', function () {
  // Every step has a limit of its own.
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

  it('has removed the right when it is back, whatever it was doing, and the right does not wait for that', async () => {
    const work = removing(operator, 600, ({ id }) => operator.until(id, [SessionState.ENDED]));
    console.log(await killAtEveryPoint(devices, operator, work));
  });
});
