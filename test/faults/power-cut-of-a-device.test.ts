import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describeOn } from '../support/machine-needs.js';
import { AnsweredCalls } from '../support/power/answered-calls.js';
import { MachineUnderPower } from '../support/power/machine-under-power.js';
import { powerCuts } from '../support/power/power-cuts.js';

/** /etc and the agent's state are on the disk; what a system keeps in /run is gone. */
const OWN_FOLDERS = `
if ! [ -e /mnt/set-up ]; then cp -a /etc /mnt/etc && mkdir -p /mnt/curfew; fi
mount --bind /mnt/etc /etc
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir -p /var/lib/curfew && mount --bind /mnt/curfew /var/lib/curfew
mount -t tmpfs -o mode=755 tmpfs /home
mount -t cgroup2 cgroup2 /sys/fs/cgroup
hostname web-1
if ! [ -e /mnt/set-up ]; then useradd alice && touch /mnt/set-up && sync; fi
`;

describeOn(
  [{ program: 'linux.uml' }, { program: 'mkfs.ext4' }, { program: 'sudo' }],
  'a device whose power is cut',
  function () {
    const cuts = powerCuts();
    // Every line of the console has a limit of its own; its machine is several times slower than this one.
    this.timeout((cuts + 1) * 300_000);
    let machine: MachineUnderPower;

    before(async () => {
      machine = await MachineUnderPower.make();
    });
    after(() => machine.dispose());

    it(`has no right when it is on again, and what was revoked stays away, after each of ${cuts} cuts`, async () => {
      const answered = new AnsweredCalls(machine.file('answered'));
      const start = async (): Promise<void> => {
        machine.boot(OWN_FOLDERS, 'device-guest', [machine.file('answered')]);
        await machine.until('REFUSED');
        await machine.until('READY');
      };
      for (let cut = 0; cut < cuts; cut += 1) {
        await start();
        await machine.until('ANSWERED granted');
        await pause(randomInt(1_500));
        await machine.cutPower();
        answered.take(machine.lines);
      }
      await start();
      assert.ok(answered.size >= cuts, `${answered.size} sessions were given`);
    });
  },
);
