import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runContract } from '../support/contract-on-device.js';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

/** What the agent's own parts do with a right of alice's, in a process of their own. */
const act = (what: string): string => `
import { linuxPlatform } from '${DEVICE_PROGRAM}/agent/dist/platform/linux/linux-platform.js';
import { SystemClock, systemRandom } from '${DEVICE_PROGRAM}/shared/dist/index.js';
const clock = new SystemClock();
const folders = { runtimeDir: '/run/curfew', stateDir: '/var/lib/curfew' };
const { host, accounts } = linuxPlatform({ ...folders, mark: 'curfew', clock, random: systemRandom, program: [],
  searched: [], recordingLimit: 0 });
const { name, uid, fingerprint } = (await accounts.list()).find(({ name }) => name === 'alice');
const order = (options = {}) => ({ sessionId: 'ses-00000000000000000000', account: { name, uid, sid: '', fingerprint },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...options },
  deadline: clock.bootTime() + 600_000, wallEnd: clock.now() + 600_000, keepProcesses: false, desktop: true });
await host.prepare();
${what}
process.exit(0);`;

const NEEDS = ['systemd devices', { program: '/usr/lib/polkit-1/polkitd' }, { program: 'pkexec' }] as const;

describeOn(NEEDS, "a desktop's prompts, with a real polkitd", function () {
  this.timeout(300_000);
  let device: Device;
  const agent = (what: string): Promise<string> => device.must(['node', '--input-type=module', '-e', act(what)]);
  const pkexec = async (user: string): Promise<boolean> => {
    const asked = ['runuser', '-u', user, '--', 'pkexec', '--disable-internal-agent', '/usr/bin/id', '-u'];
    return (await device.run(asked)).stdout === '0\n';
  };
  const isAnswered = (): Promise<boolean> =>
    eventually(() => pkexec('alice'), { withinMs: 60_000, what: 'a prompt that is answered' });
  const answer = (): string => join(device.root, 'run/curfew/desktop', Buffer.from('alice').toString('hex'));

  before(async () => {
    device = await Device.start({ name: 'desk-1', users: [{ name: 'alice' }, { name: 'bob' }], init: 'systemd' });
    await device.must(['systemctl', 'start', 'polkit.service']);
  });
  after(() => device.dispose());

  it('keep the contract of privilege hosts, as a part of a sudo rule', async () => {
    const { failed, passedAbout } = await runContract(device, { only: 'with a desktop' });
    assert.deepEqual(failed, []);
    assert.ok(passedAbout('sudo rules with a desktop') >= 12);
  });

  it('are answered for the one person, until the end that stands in the file, also while the file is there', async () => {
    assert.equal(await pkexec('alice'), false);
    await agent('await host.grant(order());');
    assert.equal(await isAnswered(), true);
    assert.equal(await pkexec('bob'), false);
    const text = readFileSync(answer(), 'utf8');
    writeFileSync(answer(), text.replace(/^\d+/, String(Date.now() - 1)));
    assert.equal(await pkexec('alice'), false);
    await agent('for (const right of await host.list()) await host.remove(right);');
    assert.equal(existsSync(answer()), false);
  });

  it('are not answered for less than every command as root, nor for a password that is to be given', async () => {
    for (const options of ['{ commands: [["/usr/bin/id"]] }', '{ runAs: "nobody" }', '{ passwordRequired: true }']) {
      await agent(`await host.grant(order(${options}));`);
      assert.equal(await pkexec('alice'), false, options);
      assert.equal(existsSync(answer()), options.includes('passwordRequired'), options);
    }
    assert.match(readFileSync(answer(), 'utf8'), /^\d+ AUTH_SELF \d+-ses-0{20}\n$/);
    await agent('for (const right of await host.list()) await host.remove(right);');
  });

  it('are not answered after a reboot, though the rule of polkit is there', async () => {
    await agent('await host.grant(order());');
    assert.equal(await isAnswered(), true);
    await device.reboot();
    await device.must(['systemctl', 'start', 'polkit.service']);
    assert.equal(existsSync(join(device.root, 'etc/polkit-1/rules.d/40-curfew.rules')), true);
    assert.equal(await pkexec('alice'), false);
    await agent('await host.uninstall();');
    assert.equal(existsSync(join(device.root, 'etc/polkit-1/rules.d/40-curfew.rules')), false);
  });
});
