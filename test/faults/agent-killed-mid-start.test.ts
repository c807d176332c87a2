import { RevokeOutcome } from '@curfew/proto';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { assertCovered } from '../support/agent-kills.js';
import { DEVICE_BIN } from '../support/device-init.js';
import { shareOf } from '../support/fault-share.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import { faultPoints, withFault, withTrace } from '../support/strace-faults.js';

const RUN = [join(DEVICE_BIN, 'curfew-agent'), 'run'];
const FOLDER = '/etc/sudoers.d';

describeOn(
  ['devices', { program: 'strace' }],
  'an agent that is killed while it puts its drop-in in place',
  function () {
    // Every step has a limit of its own.
    this.timeout(900_000);
    let fleet: Fleet;

    before(async () => {
      fleet = await Fleet.start();
    });

    after(() => fleet.dispose());

    it('leaves a sudo that works, whatever it was doing, and puts the rest in place when it starts again', async () => {
      const managed = await fleet.device({ name: 'web-1' });
      const { device } = managed;
      const folder = join(device.root, FOLDER);
      const asBefore = (): Promise<string> => device.must(['bash', '-c', `rm -f ${FOLDER}/zz-curfew`]);
      await managed.agent.stop();
      await asBefore();

      const traced = device.spawn(withTrace(RUN, '/tmp/trace'));
      await traced.waitFor(/"message":"agent ready"/, 60_000);
      await device.must(['pkill', '-f', 'curfew-agent']);
      await traced.ended;
      const points = faultPoints(readFileSync(join(device.root, 'tmp/trace'), 'utf8'), [FOLDER]).filter(
        ({ call, path }) => call !== 'openat' || path.endsWith('/.zz-curfew') || path === FOLDER,
      );
      console.log({ points: points.length });
      assert.ok(points.length >= 5, JSON.stringify(points));

      for (const point of shareOf(points)) {
        await asBefore();
        const killed = device.spawn(withFault(RUN, point, 'SIGKILL'));
        assert.equal((await killed.ended).signal, 'SIGKILL', `${point.call} ${point.path} #${point.nth}`);
        const found = await managed.look();
        assertCovered(found);
        assert.equal(found.elevated, false);
      }

      await managed.startAgent();
      await managed.untilLinked();
      assert.deepEqual(readdirSync(folder).sort(), ['README', 'bob', 'zz-curfew']);
      const { mode, uid, gid } = statSync(join(folder, 'zz-curfew'));
      assert.deepEqual([mode & 0o7777, uid, gid], [0o440, 0, 0]);
      assert.deepEqual(await managed.etcChanges(), []);
      const { id } = await managed.elevate(600);
      assert.equal(await managed.mayBeRoot(), true);
      assert.equal((await fleet.operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    });
  },
);
