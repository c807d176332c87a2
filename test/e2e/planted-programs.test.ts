import { RevokeOutcome } from '@curfew/proto';
import assert from 'node:assert/strict';
import { DEVICE_BIN } from '../support/device-init.js';
import type { Device } from '../support/device.js';
import { Fleet } from '../support/fleet.js';
import { describeOn } from '../support/machine-needs.js';
import type { ManagedDevice } from '../support/managed-device.js';

/** A folder of somebody who would like to be root, first in the PATH of the agent. */
const PLANTED = '/var/planted';
const PATH = `${PLANTED}:${DEVICE_BIN}:/usr/sbin:/usr/bin:/sbin:/bin`;
/** What an agent could call by its name, and what such programs call. */
const NAMES = `sudo visudo cvtsudoers systemd-run systemctl loginctl id getent gpasswd usermod groupmod sh bash dash kill pkill
  pgrep ps rm cat ls stat mount umount ss ip who w find sleep date chmod chown mkdir mv touch logger wall write dpkg rpm getcap hostname uname`;

const PLANT = `
  mkdir -p ${PLANTED}
  for name in ${NAMES.replace(/\s+/g, ' ')}; do
    printf '#!/bin/bash -p\\necho %s >> ${PLANTED}/called\\n' $name > ${PLANTED}/$name
    chmod 0755 ${PLANTED}/$name
  done
  echo 'echo environment >> ${PLANTED}/called' > ${PLANTED}/environment
  : > ${PLANTED}/called && chmod 0666 ${PLANTED}/called
`;

describeOn(['devices'], 'programs of the same name that somebody has put into the way of the agent', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  let managed: ManagedDevice;

  before(async () => {
    fleet = await Fleet.start();
    const prepare = async (device: Device): Promise<void> => {
      await device.must(['bash', '-c', PLANT]);
    };
    const env = { PATH, BASH_ENV: `${PLANTED}/environment`, ENV: `${PLANTED}/environment` };
    managed = await fleet.device({ name: 'web-1', env, prepare });
  });
  after(() => fleet.dispose());

  const called = (): Promise<string> => managed.device.must(['cat', `${PLANTED}/called`]);

  it('are never called, while it starts, gives a right, takes it away, and is started again', async () => {
    const { id } = await managed.elevate(600);
    assert.equal(await managed.mayBeRoot(), true);
    assert.equal((await fleet.operator.revoke(id)).outcome, RevokeOutcome.EFFECTIVE);
    await managed.elevate(600);
    await managed.agent.stop('SIGKILL');
    await managed.startAgent();
    assert.equal(await managed.mayBeRoot(), true, managed.agent.output);
    assert.equal(await called(), '');
  });

  it('would be told of: whoever calls one by its name calls that one', async () => {
    const env = `PATH=${PATH} BASH_ENV=${PLANTED}/environment`;
    // Not with a socket as its input: bash would take itself for one that rshd has started, and read other files.
    await managed.device.must(['/bin/sh', '-c', `exec env ${env} /bin/bash -c visudo < /dev/null`]);
    assert.deepEqual((await called()).trim().split('\n'), ['environment', 'visudo']);
  });
});
