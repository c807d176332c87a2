import assert from 'node:assert/strict';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';

/** What the agent's own parts know of a device's accounts, and what they make of dora, in a process of their own. */
const act = (what: string): string => `
import { linuxPlatform } from '${DEVICE_PROGRAM}/agent/dist/platform/linux/linux-platform.js';
import { SystemClock, systemRandom } from '${DEVICE_PROGRAM}/shared/dist/index.js';
const clock = new SystemClock();
const folders = { runtimeDir: '/run/curfew', stateDir: '/var/lib/curfew' };
const { host, accounts } = linuxPlatform({ ...folders, mark: 'curfew', clock, random: systemRandom, program: [],
  searched: [], recordingLimit: 0 });
const order = ({ name, uid, fingerprint }, change = {}) => ({ sessionId: 'ses-00000000000000000000',
  account: { name, uid, sid: '', fingerprint },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...change },
  deadline: clock.bootTime() + 600_000, wallEnd: clock.now() + 600_000, keepProcesses: false });
await host.prepare();
${what}
process.exit(0);`;

/** A name service beside the files that any test can write to: to the agent it is what SSSD or LDAP are, an answer of getent. */
const DIRECTORY = `
set -e
sed -i -E 's/^(passwd|group|shadow):.*/\\1: files extrausers/' /etc/nsswitch.conf
mkdir -p /var/lib/extrausers
echo 'dora:x:5001:5001:Dora:/home/dora:/bin/bash' > /var/lib/extrausers/passwd
echo 'erik:x:5002:5001:Erik:/home/erik:/bin/bash' >> /var/lib/extrausers/passwd
printf 'dora:*:19000:0:99999:7:::\\nerik:*:19000:0:99999:7:::\\n' > /var/lib/extrausers/shadow
printf 'staff-all:x:5001:\\nadmins:x:5100:erik\\n' > /var/lib/extrausers/group
echo '%admins ALL=(ALL:ALL) ALL' > /etc/sudoers.d/admins
chmod 440 /etc/sudoers.d/admins
chmod 644 /var/lib/extrausers/{passwd,group}
chmod 640 /var/lib/extrausers/shadow`;

describeOn(['devices', { file: '/usr/lib/libnss_extrausers.so.2' }], 'accounts of a directory', function () {
  this.timeout(60_000);
  let device: Device;
  const agent = async (what: string): Promise<unknown> =>
    JSON.parse(await device.must(['node', '--input-type=module', '-e', act(what)]));

  before(async () => {
    device = await Device.start({ name: 'joined-1', users: [{ name: 'alice' }] });
    await device.must(['bash', '-c', DIRECTORY]);
  });
  after(() => device.dispose());

  it('are listed, found by uid, and known as administrators by the rules of the machine', async () => {
    const found = await agent(`
      const list = (await accounts.list()).filter(({ name }) => ['alice', 'dora', 'erik'].includes(name));
      const one = await accounts.byKey('uid:5001');
      console.log(JSON.stringify([list.map(({ name, standingAdmin }) => [name, standingAdmin]), one.name,
        await accounts.byKey('uid:5003') === undefined]));`);
    assert.deepEqual(found, [
      [
        ['alice', false],
        ['dora', false],
        ['erik', true],
      ],
      'dora',
      true,
    ]);
  });

  it('are given a sudo rule that counts, and lose it', async () => {
    await agent("await host.grant(order(await accounts.byKey('uid:5001'))); console.log(1);");
    const asDora = ['runuser', '-u', 'dora', '--', 'sudo', '-n', 'id', '-u'];
    assert.equal(await device.must(asDora), '0');
    await agent('for (const right of await host.list()) await host.remove(right); console.log(1);');
    assert.notEqual((await device.run(asDora)).exitCode, 0);
  });

  it('are given none when the directory has somebody else under that uid by now', async () => {
    const code = await agent(`
      const dora = await accounts.byKey('uid:5001');
      const { writeFileSync } = await import('node:fs');
      writeFileSync('/var/lib/extrausers/passwd', 'mallory:x:5001:5001:Mallory:/home/dora:/bin/bash\\n');
      const refused = await host.grant(order(dora)).catch(({ code }) => code);
      console.log(JSON.stringify([refused, await host.list()]));`);
    assert.deepEqual(code, ['ACCOUNT_CHANGED', []]);
  });
});
