import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runContract } from '../support/contract-on-device.js';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';

/** A device that has doas and no sudo: a file that cannot be run is in sudo's place. */
async function deviceWithDoas(): Promise<Device> {
  const device = await Device.start({ name: 'small-1', users: [{ name: 'alice' }, { name: 'bob' }], init: 'systemd' });
  await hideSudo(device);
  return device;
}

const hideSudo = (device: Device): Promise<string> => device.must(['mount', '--bind', '/dev/null', '/usr/bin/sudo']);

/** What the agent's own parts do with a right of alice's, in a process of their own. */
const act = (what: string): string => `
import { linuxPlatform } from '${DEVICE_PROGRAM}/agent/dist/platform/linux/linux-platform.js';
import { SystemClock, systemRandom } from '${DEVICE_PROGRAM}/shared/dist/index.js';
const clock = new SystemClock();
const folders = { runtimeDir: '/run/curfew', stateDir: '/var/lib/curfew' };
const { host, accounts } = linuxPlatform({ ...folders, mark: 'curfew', clock, random: systemRandom, program: [],
  searched: [], recordingLimit: 0 });
const { name, uid, fingerprint } = (await accounts.list()).find(({ name }) => name === 'alice');
const order = (change = {}) => ({ sessionId: 'ses-00000000000000000000', account: { name, uid, sid: '', fingerprint },
  options: { kind: 'sudo_rule', passwordRequired: false, commands: [], runAs: '', group: '', ...change },
  deadline: clock.bootTime() + 600_000, wallEnd: clock.now() + 600_000, keepProcesses: false });
const capabilities = await host.prepare();
${what}
process.exit(0);`;

describeOn(['systemd devices', { program: 'doas' }], 'a device with doas and without sudo', function () {
  this.timeout(300_000);
  let device: Device;
  const conf = (): string => join(device.root, 'etc/doas.conf');
  const agent = (what: string): Promise<string> => device.must(['node', '--input-type=module', '-e', act(what)]);
  const doas = async (user: string, ...command: string[]): Promise<string> =>
    (await device.run(['runuser', '-u', user, '--', 'doas', '-n', ...command])).stdout.trim();

  before(async () => {
    device = await deviceWithDoas();
  });
  after(() => device.dispose());

  it('keeps the contract of privilege hosts', async () => {
    const { failed, passedAbout } = await runContract(device);
    assert.deepEqual(failed, []);
    assert.ok(passedAbout('rules of doas') >= 15);
  });

  it('is told apart, with what doas cannot do', async () => {
    const told = JSON.parse(await agent('console.log(JSON.stringify(capabilities));')) as Record<string, unknown>;
    assert.equal(told['sudoVersion'], 'doas');
    assert.equal(told['sudoEnforcesEnd'], false);
    assert.match(String(told['findings']), /doas cannot end a rule by itself, nor say what it runs/);
  });

  it('gives one command as it was asked for, with its arguments and no others', async () => {
    writeFileSync(conf(), 'permit nopass bob as root cmd /usr/bin/id\n', { mode: 0o400 });
    await agent(`await host.grant(order({ commands: [['/usr/bin/id', '-u'], ['/usr/bin/id', 'args']] }));`);
    assert.equal(await doas('alice', '/usr/bin/id', '-u'), '0');
    assert.equal(await doas('alice', '/usr/bin/id', '-g'), '');
    assert.equal(await doas('alice', '/usr/bin/id'), '', "a word that is doas's own is an argument like others");
    assert.equal(await doas('bob', '/usr/bin/id', '-u'), '0');
    await agent('await host.uninstall();');
    assert.equal(readFileSync(conf(), 'utf8'), 'permit nopass bob as root cmd /usr/bin/id\n');
  });

  it('gives a right to a uid, and not to the account that has it as its name', async () => {
    const uid = await device.must(['id', '-u', 'alice']);
    await device.must(['useradd', '--badname', uid]);
    await agent('await host.grant(order());');
    assert.equal(await doas('alice', 'id', '-u'), '0');
    assert.equal(await doas(uid, 'id', '-u'), '', `the account that is called ${uid}`);
    writeFileSync(conf(), `permit nopass ${uid}\n`, { mode: 0o400 });
    assert.equal(await doas(uid, 'id', '-u'), '0', 'which doas would have meant by that word alone');
    await device.must(['rm', '/etc/doas.conf']);
    await agent('await host.uninstall();');
    await device.must(['userdel', uid]);
  });

  it('gives nothing where its own rules cannot be read, and leaves them', async () => {
    const broken = 'permit nopass bob \\\n';
    writeFileSync(conf(), broken, { mode: 0o400 });
    await assert.rejects(agent('await host.grant(order());'), /RULE_REJECTED|did not pass its check/);
    assert.equal(readFileSync(conf(), 'utf8'), broken);
    await device.must(['rm', '/etc/doas.conf']);
  });

  it('has no doas.conf again where it had none', async () => {
    await agent('await host.grant(order());');
    assert.equal(await doas('alice', 'id', '-u'), '0');
    await agent('for (const right of await host.list()) await host.remove(right);');
    assert.equal((await device.run(['test', '-e', '/etc/doas.conf'])).exitCode, 1);
  });

  it('ends every right with a reboot, though no agent ever starts again', async () => {
    const own = 'permit nopass bob as root cmd /usr/bin/id\n';
    writeFileSync(conf(), own, { mode: 0o400 });
    await agent('await host.arm(order()); await host.grant(order());');
    assert.equal(await doas('alice', 'id', '-u'), '0');
    await device.reboot();
    await hideSudo(device);
    assert.equal(await doas('alice', 'id', '-u'), '');
    assert.equal(await doas('bob', '/usr/bin/id', '-u'), '0');
    assert.equal(readFileSync(conf(), 'utf8'), own);
  });

  it('ends a right at its deadline, though the agent is dead', async () => {
    let worked = false;
    // On a busy machine a short one is over before anybody has looked: then a longer one is given.
    for (const [at, lifeMs] of [3_000, 12_000, 48_000].entries()) {
      const change = `sessionId: 'ses-${String(at).padStart(20, '1')}', deadline: clock.bootTime() + ${lifeMs}`;
      await agent(`const late = { ...order(), ${change} }; await host.arm(late); await host.grant(late);`);
      worked = (await doas('alice', 'id', '-u')) === '0';
      if (worked) break;
      await agent('for (const right of await host.list()) await host.remove(right);');
    }
    assert.equal(worked, true);
    await device.must(
      [
        'bash',
        '-c',
        'for i in {1..600}; do doas_conf=$(cat /etc/doas.conf); case $doas_conf in *curfew*) sleep 0.1;; *) exit 0;; esac; done; exit 1',
      ],
      { timeoutMs: 120_000 },
    );
    assert.equal(await doas('alice', 'id', '-u'), '');
  });
});
