import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runContract } from '../support/contract-on-device.js';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import type { Device } from '../support/device.js';
import { startMacDevice } from '../support/mac-device.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

/** What the agent's own parts do with a right of alice's, in a process of their own. */
const act = (what: string): string => `
import { darwinPlatform } from '${DEVICE_PROGRAM}/agent/dist/platform/darwin/darwin-platform.js';
import { SystemClock, systemRandom } from '${DEVICE_PROGRAM}/shared/dist/index.js';
const clock = new SystemClock();
const folders = { runtimeDir: '/var/run/curfew', stateDir: '/var/db/curfew' };
const { host, accounts } = darwinPlatform({ ...folders, mark: 'curfew', clock, random: systemRandom, program: [],
  searched: [], recordingLimit: 0 }, { sudoers: ['/etc/sudoers'], sudoersFolder: '/etc/sudoers.d' });
const { name, uid, fingerprint } = (await accounts.list()).find(({ name }) => name === 'alice');
const order = (kind, change = {}) => ({ sessionId: 'ses-00000000000000000000',
  account: { name, uid, sid: '', fingerprint },
  options: { kind, passwordRequired: false, commands: [], runAs: '', group: '' },
  deadline: clock.bootTime() + 600_000, wallEnd: clock.now() + 600_000, keepProcesses: false, ...change });
const capabilities = await host.prepare();
${what}
process.exit(0);`;

interface MacState {
  groups: { name: string; members: string[] }[];
  users: { name: string; uid: number }[];
  boot: string;
  bootSecond: number;
  services: string[];
}

describeOn(['systemd devices'], "a Mac's adapter, with Debian's sudo and tools that answer as Apple's", function () {
  this.timeout(300_000);
  let device: Device;
  before(async () => {
    device = await startMacDevice('mac-1');
  });
  after(() => device.dispose());

  it('keeps the contract of privilege hosts, for sudo rules and memberships of admin', async () => {
    const { failed, passedAbout } = await runContract(device, { platform: 'darwin' });
    assert.deepEqual(failed, []);
    assert.ok(passedAbout('sudo rules of a Mac') >= 14 && passedAbout('group memberships of a Mac') >= 14);
  });

  const file = (): string => join(device.root, 'run/mac-state.json');
  const state = (): MacState => JSON.parse(readFileSync(file(), 'utf8')) as MacState;
  const change = (what: (state: MacState) => void): void => {
    const now = state();
    what(now);
    // In one step: a tool may ask at this moment.
    writeFileSync(`${file()}.next`, JSON.stringify(now));
    renameSync(`${file()}.next`, file());
  };
  const admins = (): string[] => state().groups.find(({ name }) => name === 'admin')?.members ?? [];
  /** Has the Mac count more time since its boot, as after a sleep: longer than any right lasts here, or again as before. */
  const sleep = (direction: 1 | -1): void => change((now) => (now.bootSecond -= direction * 700));
  const armed = (): Promise<string> => device.must(['ls', '/var/run/curfew/armed']);
  const agent = (what: string): Promise<string> => device.must(['node', '--input-type=module', '-e', act(what)]);
  const sweep = (): Promise<string> => device.must(['sh', '/var/db/curfew/sweep.sh']);
  const REMOVED = `for (const right of await host.list()) await host.remove(right).catch(({ code, message }) => {
    console.log(code, message); });`;

  it('does not lock the last administrator out, and says so, until there is another', async () => {
    await agent(`await host.grant(order('group_membership'));`);
    change(({ groups }) =>
      groups.forEach((group) => (group.members = group.members.filter((name) => name !== 'carol'))),
    );
    assert.match(await agent(REMOVED), /COMMAND_FAILED .*alice is the only administrator of this Mac/);
    assert.match(
      await agent('console.log(capabilities.findings.join());'),
      /This Mac has no administrator but those of sessions/,
    );
    await sweep();
    assert.deepEqual(admins(), ['root', 'alice']);
    change(({ groups }) => groups[0]?.members.push('carol'));
    assert.equal(await agent(REMOVED), '');
    assert.deepEqual(admins(), ['root', 'carol']);
  });

  it('takes a membership away from an account that was renamed meanwhile', async () => {
    await agent(`await host.grant(order('group_membership'));`);
    const rename = (from: string, to: string): void =>
      change(({ users, groups }) => {
        for (const one of users) if (one.name === from) one.name = to;
        for (const { members } of groups)
          members.splice(0, members.length, ...members.map((name) => (name === from ? to : name)));
      });
    rename('alice', 'alicia');
    await sweep();
    change((now) => (now.boot = '0A1B2C3D-0000-4000-8000-00000000B002'));
    await sweep();
    assert.deepEqual(admins(), ['root', 'carol']);
    rename('alicia', 'alice');
  });

  it('has what an earlier boot has left swept, rules and memberships, and nothing of this one', async () => {
    await agent(`await host.grant(order('group_membership'));
      await host.grant({ ...order('sudo_rule'), sessionId: 'ses-11111111111111111111' });`);
    const rules = async (): Promise<string> => device.must(['ls', '/var/run/curfew/sudoers.d']);
    await sweep();
    assert.deepEqual(
      [admins(), await rules()],
      [['root', 'carol', 'alice'], `${await uid()}-ses-11111111111111111111`],
    );
    change((now) => (now.boot = '0A1B2C3D-0000-4000-8000-00000000B003'));
    await sweep();
    assert.deepEqual([admins(), await rules()], [['root', 'carol'], '']);
  });

  it('has what is over swept, though neither agent nor the remover beside it is alive', async () => {
    await agent(`await host.arm(order('group_membership')); await host.grant(order('group_membership'));`);
    await device.must(['pkill', '-f', 'curfew-watchdog']);
    await sweep();
    assert.deepEqual(admins(), ['root', 'carol', 'alice']);
    assert.match(await armed(), /^ses-0{20}\.\S+$/);
    sleep(1);
    await sweep();
    assert.deepEqual([admins(), await armed()], [['root', 'carol'], '']);
    sleep(-1);
  });

  it('ends a rule at its deadline by the remover beside it, though the agent is dead', async () => {
    await agent(`await host.arm(order('sudo_rule')); await host.grant(order('sudo_rule'));`);
    const sudo = async (): Promise<number | null> =>
      (await device.run(['runuser', '-u', 'alice', '--', 'sudo', '-n', '/usr/bin/id'])).exitCode;
    assert.equal(await sudo(), 0);
    sleep(1);
    await eventually(async () => (await armed()) === '', { withinMs: 30_000, what: 'a remover that is done' });
    assert.notEqual(await sudo(), 0);
    sleep(-1);
  });

  it('gives no membership while launchd does not know the sweeper, and a rule all the same', async () => {
    change((now) => (now.services = ['curfew.agent']));
    const kinds = JSON.parse(await agent('console.log(JSON.stringify(capabilities.kinds));')) as Record<
      string,
      unknown
    >;
    assert.deepEqual(kinds['sudo_rule'], { supported: true });
    assert.match(JSON.stringify(kinds['group_membership']), /launchd does not know curfew\.sweeper/);
    assert.match(
      await agent(`await host.grant(order('group_membership')).catch(({ code }) => console.log(code));`),
      /GRANT_KIND_UNSUPPORTED/,
    );
    assert.deepEqual(admins(), ['root', 'carol']);
    change((now) => (now.services = ['curfew.agent', 'curfew.sweeper']));
  });

  const uid = (): Promise<string> => device.must(['id', '-u', 'alice']);
});
