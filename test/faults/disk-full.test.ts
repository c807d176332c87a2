import { EndReason, RevokeOutcome, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';
import type { Operator } from '../support/operator.js';
import { eventually } from '../support/wait.js';

const STATE = '/var/lib/curfew';

describeOn(['devices'], 'a disk with no room', function () {
  this.timeout(180_000);
  let fleet: Fleet;
  let operator: Operator;
  let managed: ManagedDevice;

  /** Runs a script on the device as root. */
  const script = (text: string): Promise<string> => managed.device.must(['bash', '-c', text]);
  /** Takes all the room there is, once the agent frees none any more. */
  const fill = async (): Promise<void> => {
    await managed.untilAtRest();
    await script(`dd if=/dev/zero of=${STATE}/filler bs=1k 2>/dev/null; ! echo x > ${STATE}/more`);
  };
  const makeRoom = (): Promise<string> => script(`rm -f ${STATE}/filler ${STATE}/more`);

  const isRefused = async (code: string): Promise<void> => {
    const { id } = await operator.grant(managed.name, 600);
    const refused = await operator.until(id, [SessionState.ENDED]);
    assert.equal(refused.endReason, EndReason.REFUSED_BY_DEVICE);
    assert.equal(refused.endDetail.split(':')[0], code, refused.endDetail);
    assert.deepEqual(managed.rules(), []);
    await managed.untilDisarmed();
    assert.equal(await managed.mayBeRoot(), false);
  };

  before(async () => {
    fleet = await Fleet.start();
    operator = fleet.operator;
    managed = await fleet.device({ name: 'web-1' });
    await managed.agent.stop();
    await script(`
      set -e
      cp -a ${STATE} /root/state
      mount -t tmpfs -o size=2m,nr_inodes=64,mode=0700 tmpfs ${STATE}
      cp -a /root/state/. ${STATE}/`);
    await managed.startAgent();
    await managed.untilLinked();
  });

  after(() => fleet.dispose());

  it('stops no revoke, and gives nothing', async () => {
    const { id } = await managed.elevate(600);
    await fill();
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    assert.equal(await managed.mayBeRoot(), false);
    assert.deepEqual(managed.rules(), []);
    await isRefused('DEVICE_STORAGE_FAILED');
    await makeRoom();
  });

  it('stops no expiry, and what is left is sorted out when the agent starts again', async () => {
    const { id } = await managed.elevate(10);
    await fill();
    const ended = await operator.until(id, [SessionState.ENDED]);
    assert.equal(ended.endReason, EndReason.EXPIRED);
    assert.equal(await managed.mayBeRoot(), false);
    assert.deepEqual(managed.rules(), []);
    await managed.agent.stop('SIGKILL');
    await managed.startAgent();
    await managed.untilLinked();
    await makeRoom();
    const again = await managed.elevate(600);
    assert.equal((await operator.revoke(again.id)).outcome, RevokeOutcome.EFFECTIVE);
    await managed.untilNothingIsLeft();
  });

  it('that has become read-only stops no removal either, nor the agent from starting', async () => {
    const { id } = await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    await script(`mount -o remount,ro ${STATE}`);
    await managed.startAgent();
    await managed.untilLinked();
    assert.equal(await managed.mayBeRoot(), true, 'a right on which record and machine agree stays');
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    assert.equal(await managed.mayBeRoot(), false);
    await isRefused('DEVICE_STORAGE_FAILED');
    await script(`mount -o remount,rw ${STATE}`);
  });

  it('in /etc keeps the drop-in out, so nothing is given, and the agent says why', async () => {
    await managed.agent.stop();
    await script('rm /etc/sudoers.d/zz-curfew && mount -o remount,ro /etc');
    await managed.startAgent();
    await managed.untilLinked();
    await isRefused('GRANT_KIND_UNSUPPORTED');
    const { findings } = await eventually(
      async () => {
        const device = await operator.device(managed.name);
        return device.findings.length > 0 && device;
      },
      { withinMs: 30_000, what: 'a finding' },
    );
    assert.match(findings.join('\n'), /the drop-in cannot be put in place: .*read-only file system/);
    assert.match(findings.join('\n'), /put the line '@includedir \/run\/curfew\/sudoers\.d' into a file/);
    await script('mount -o remount,rw /etc');
  });

  it('in /etc is no matter where the drop-in is there already, in other words', async () => {
    await managed.agent.stop();
    const line = '# Put here by the system itself\n@includedir /run/curfew/sudoers.d';
    await script(`umask 0337; printf '%s\\n' "${line}" > /etc/sudoers.d/zz-curfew && mount -o remount,ro /etc`);
    await managed.startAgent();
    await managed.untilLinked();
    const { id } = await managed.elevate(600);
    assert.equal(await managed.mayBeRoot(), true);
    assert.equal((await operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    await script('mount -o remount,rw /etc');
  });
});
