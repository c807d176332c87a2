import { CurfewError, ManualClock, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { LocalAccount } from '../../ports/account-directory.js';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from '../../ports/privilege-host-contract.js';
import { BootSweep } from './boot-sweep.js';
import { FakeLinuxMachine } from './fake-linux-machine.js';
import { GroupDatabase } from './group-database.js';
import { GroupHost } from './group-host.js';
import { LinuxHost } from './linux-host.js';
import { MembershipMarks } from './membership-marks.js';
import { SudoersHost } from './sudoers-host.js';
import { SystemdRemover } from './systemd-remover.js';

const GROUPS = 'root:x:0:\nsudo:x:27:carol\nuser1001:x:1001:\nuser1002:x:1002:\n';
const OPTIONS = { passwordRequired: false, commands: [], runAs: '', group: '' };
const SESSION = `ses-${'0'.repeat(20)}`;

const account = (uid: number): LocalAccount => ({
  name: uid === 0 ? 'root' : `user${uid}`,
  uid,
  sid: '',
  fingerprint: String(uid % 10).repeat(64),
  standingAdmin: uid === 0,
  ineligibleReason: uid === 0 ? 'it is root already' : '',
});

const known = async (uid: number): Promise<LocalAccount | undefined> =>
  [0, 1001, 1002].includes(uid) ? account(uid) : undefined;

function hostOn(machine: FakeLinuxMachine, clock: ManualClock, { systemdRuns = true, byUid = known } = {}): LinuxHost {
  const marks = new MembershipMarks(machine.stateDir);
  let words = 0;
  return new LinuxHost({
    sudoers: new SudoersHost({
      runner: machine,
      runtimeDir: machine.runtimeDir,
      dropIn: path.join(machine.etc, 'sudoers.d/zz-curfew'),
    }),
    groups: new GroupHost({
      runner: machine,
      accounts: { primaryGid: async (uid) => uid },
      groups: new GroupDatabase(machine.groupFile),
      marks,
      bootSweep: new BootSweep('curfew-boot-sweep.service', marks, path.join(machine.etc, 'systemd/system')),
      bootId: () => 'boot-1',
      systemdRuns,
      isInstalled: async () => true,
    }),
    accounts: { byUid, list: async () => [] },
    remover: new SystemdRemover(machine, clock, () => `word${(words += 1)}of${machine.ran.length}`, 'trial-'),
  });
}

function trialOf(kind: GrantOptions['kind']): Promise<HostOnTrial> {
  const [machine, clock] = [new FakeLinuxMachine(GROUPS), new ManualClock()];
  const planted = [`${machine.runtimeDir}/sudoers.d/notes`, `${machine.stateDir}/memberships/notes`];
  return Promise.resolve({
    start: () => hostOn(machine, clock),
    clock,
    alice: account(1001),
    bob: account(1002),
    ineligible: account(0),
    inForce: async ({ uid, name }) =>
      kind === 'sudo_rule' ? machine.hasRule(uid ?? 0) : machine.members('sudo').includes(name),
    isArmed: async (sessionId) => [...machine.timers].filter((unit) => unit.includes(sessionId)).length === 1,
    alter: async ({ sessionId, account: { uid, name } }) => {
      if (kind === 'group_membership') await machine.run('/usr/bin/gpasswd', ['-d', name, 'sudo']);
      else
        writeFileSync(`${machine.runtimeDir}/sudoers.d/${String(uid)}-${sessionId}`, '#1001 ALL=ALL\n', {
          mode: 0o600,
        });
    },
    foreign: async () => readFileSync(machine.groupFile, 'utf8') + readdirSync(machine.etc).join(),
    plant: async () => {
      for (const file of planted) {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, 'not of Curfew');
      }
    },
    plantIsThere: async () => planted.every((file) => readFileSync(file, 'utf8') === 'not of Curfew'),
    refused: [],
    dispose: async () => {
      machine.dispose();
    },
  });
}

describePrivilegeHost('linux host, sudo rules', 'sudo_rule', () => trialOf('sudo_rule'));
describePrivilegeHost('linux host, group memberships', 'group_membership', () => trialOf('group_membership'));

describe('linux host', () => {
  let machine: FakeLinuxMachine;
  let clock: ManualClock;
  let host: LinuxHost;
  beforeEach(async () => {
    [machine, clock] = [new FakeLinuxMachine(GROUPS), new ManualClock()];
    host = hostOn(machine, clock);
    await host.prepare();
  });
  afterEach(() => {
    machine.dispose();
  });

  const order = (kind: GrantOptions['kind'], change: Partial<GrantOrder> = {}): GrantOrder => ({
    sessionId: SESSION,
    account: account(1001),
    options: { kind, ...OPTIONS },
    deadline: (clock.bootTime() + 90_000) as GrantOrder['deadline'],
    wallEnd: (clock.now() + 90_500) as GrantOrder['wallEnd'],
    ...change,
  });
  const refusedAs = (code: string) => (error: unknown) => error instanceof CurfewError && error.code === code;
  const failing = (stderr: string) => () => ({ exitCode: 1, signal: null, stdout: '', stderr });

  it('arms a timer that counts by both clocks, and keeps the earlier one until it is there', async () => {
    await host.arm(order('sudo_rule'));
    const first = machine.ran.find(([program]) => program === '/usr/bin/systemd-run');
    assert.ok(first);
    assert.ok(first.includes('--on-active=91s'), String(first));
    assert.ok(first.includes('--on-calendar=2026-01-01 00:01:32 UTC'), String(first));
    machine.answers.set('systemd-run', failing('no bus'));
    await assert.rejects(host.arm(order('sudo_rule')), refusedAs('REMOVER_UNAVAILABLE'));
    assert.equal(machine.timers.size, 1);
    machine.answers.clear();
    await host.arm(order('sudo_rule'));
    assert.equal(machine.timers.size, 1);
    assert.equal(machine.ran.filter(([, verb]) => verb === 'stop').length, 1);
  });

  for (const [name, answer] of [
    ['fails', failing('Failed to connect to bus')],
    ['is not there', () => new CurfewError('COMMAND_FAILED', { command: 'x', exitCode: 'ENOENT', stderr: '' })],
  ] as const)
    it(`has no remover when systemd-run ${name}, and says so`, async () => {
      machine.answers.set('systemd-run', answer);
      await assert.rejects(host.arm(order('sudo_rule')), refusedAs('REMOVER_UNAVAILABLE'));
      assert.deepEqual(await host.list(), []);
    });

  it('gives no membership without systemd, and says why', async () => {
    host = hostOn(machine, clock, { systemdRuns: false });
    const { kinds } = await host.prepare();
    assert.ok(!kinds.group_membership.supported);
    assert.match(kinds.group_membership.why, /lasts over a reboot/);
    await assert.rejects(host.grant(order('group_membership')), refusedAs('GRANT_KIND_UNSUPPORTED'));
    assert.deepEqual(machine.members('sudo'), ['carol']);
  });

  it('gives no membership that the sweep at boot would not know', async () => {
    const blocked = path.join(machine.etc, 'systemd/system/sysinit.target.wants');
    writeFileSync(blocked, 'a file where a folder has to be');
    await assert.rejects(host.grant(order('group_membership')), refusedAs('REMOVER_UNAVAILABLE'));
    assert.deepEqual(machine.members('sudo'), ['carol']);
    assert.deepEqual(await host.list(), []);
  });

  it('leaves nothing of a membership that cannot be made or does not count', async () => {
    machine.answers.set('gpasswd', failing('cannot lock /etc/group; try again later.'));
    await assert.rejects(host.grant(order('group_membership')), refusedAs('GRANT_NOT_EFFECTIVE'));
    machine.answers.clear();
    machine.answers.set('getent', () => ({ exitCode: 0, signal: null, stdout: 'sudo:x:27:carol\n', stderr: '' }));
    await assert.rejects(host.grant(order('group_membership')), refusedAs('GRANT_NOT_EFFECTIVE'));
    assert.deepEqual(machine.members('sudo'), ['carol']);
    assert.deepEqual(await host.list(), []);
  });

  it('says that a membership is still there when it cannot be taken away, and takes it away later', async () => {
    await host.grant(order('group_membership'));
    machine.answers.set('sh', failing('cannot lock /etc/group; try again later.'));
    await assert.rejects(host.remove(order('group_membership')), refusedAs('COMMAND_FAILED'));
    assert.equal((await host.list()).length, 1);
    machine.answers.clear();
    await host.remove(order('group_membership'));
    assert.deepEqual(machine.members('sudo'), ['carol']);
    assert.deepEqual(await host.list(), []);
  });

  it('writes the mark and the sweep before it adds anybody', async () => {
    const there: boolean[] = [];
    machine.answers.set('gpasswd', () => {
      const mark = path.join(machine.stateDir, `memberships/1001-${SESSION}`);
      there.push(readFileSync(mark, 'utf8') === 'boot-1 1001 user1001 sudo\n');
      there.push(existsSync(path.join(machine.etc, 'systemd/system/sysinit.target.wants/curfew-boot-sweep.service')));
      return undefined;
    });
    await host.grant(order('group_membership'));
    assert.deepEqual(there, [true, true]);
  });

  it("gives the administrators' group of the other custom where there is no sudo", async () => {
    writeFileSync(machine.groupFile, 'root:x:0:\nwheel:x:10:\n');
    await host.grant(order('group_membership'));
    assert.deepEqual(machine.members('wheel'), ['user1001']);
  });

  for (const name of ['-x', 'a b', 'x,y', 'ünï', 'DOM\\user', 'a:b'])
    it(`does not hand the name ${name} to the group tools`, async () => {
      const odd = { ...account(1001), name };
      host = hostOn(machine, clock, { byUid: async () => odd });
      await assert.rejects(host.grant(order('group_membership', { account: odd })), refusedAs('ACCOUNT_INELIGIBLE'));
      assert.ok(!machine.ran.some(([program]) => program === '/usr/bin/gpasswd'));
    });
});
