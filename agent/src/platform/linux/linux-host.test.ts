import { CurfewError, ManualClock, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { uidOf } from '../../ports/account-key.js';
import type { LocalAccount } from '../../ports/account-directory.js';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from '../../ports/privilege-host-contract.js';
import { ProcessFolder } from '../../processes/process-folder.js';
import { FakeLinuxMachine } from './fake-linux-machine.js';
import { GroupDatabase } from './group-database.js';
import { GroupHost } from './group-host.js';
import { UnixHost } from '../unix/unix-host.js';
import { Labels } from '../unix/labels.js';
import { MembershipMarks } from '../unix/membership-marks.js';
import { MEMBERSHIP_REMOVAL } from './membership-removal.js';
import { OpenrcSweep } from './openrc-sweep.js';
import { SudoersHost } from '../unix/sudoers-host.js';
import { SystemdSweep } from './systemd-sweep.js';
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

interface HostChange {
  readonly sweep?: 'systemd' | 'openrc' | 'none';
  readonly accountOf?: (uid: number) => Promise<LocalAccount | undefined>;
  readonly ruleGroups?: readonly string[];
  readonly selinux?: boolean;
}

const job = ({ script, folder }: MembershipMarks) => ({ what: 'memberships', script, args: ['other-boots', folder] });

function hostOn(
  machine: FakeLinuxMachine,
  clock: ManualClock,
  { sweep = 'systemd', accountOf = known, ruleGroups = [], selinux = false }: HostChange = {},
): UnixHost {
  const marks = new MembershipMarks(machine.stateDir, MEMBERSHIP_REMOVAL);
  const folder = new ProcessFolder(path.join(machine.runtimeDir, 'processes'));
  const labels = new Labels({ runner: machine, tools: machine.tools, isOn: () => selinux });
  let words = 0;
  return new UnixHost({
    rules: new SudoersHost({
      runner: machine,
      tools: machine.tools,
      labels,
      runtimeDir: machine.runtimeDir,
      dropIn: path.join(machine.etc, 'sudoers.d/zz-curfew'),
      processes: folder,
      mains: [machine.sudoers],
    }),
    groups: new GroupHost({
      runner: machine,
      accounts: { primaryGid: async (uid) => uid },
      groups: new GroupDatabase(machine.groupFile),
      marks,
      tools: machine.tools,
      ruleGroups: async () => new Set(ruleGroups),
      bootSweep:
        sweep === 'systemd'
          ? new SystemdSweep('curfew-boot-sweep', job(marks), labels, path.join(machine.etc, 'systemd/system'))
          : sweep === 'openrc'
            ? new OpenrcSweep('curfew-boot-sweep', job(marks), machine.etc)
            : undefined,
      bootId: () => 'boot-1',
    }),
    accounts: { byKey: (key) => accountOf(uidOf(key) ?? -1), list: async () => [] },
    processes: { folder, ticksNow: () => 100 },
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
  let host: UnixHost;
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
    keepProcesses: false,
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

  it('has the timer that was asked for last, and no other, when it is armed twice at a time', async () => {
    await host.arm(order('sudo_rule'));
    const longer = order('sudo_rule', { deadline: (clock.bootTime() + 600_000) as GrantOrder['deadline'] });
    await Promise.all([host.arm(order('sudo_rule')), host.arm(longer)]);
    const last = machine.ran.findLast(([program]) => program === '/usr/bin/systemd-run');
    assert.ok(last?.includes('--on-active=601s'), String(last));
    assert.deepEqual([...machine.timers], [/--unit=(\S+)/.exec(String(last?.[1]))?.[1]]);
    await Promise.all([host.arm(longer), host.disarm(SESSION)]);
    assert.deepEqual([...machine.timers], []);
  });

  it('takes a timer that has fired meanwhile for stopped, and no other', async () => {
    await host.arm(order('sudo_rule'));
    const fired = [...machine.timers];
    const listed = {
      exitCode: 0,
      signal: null,
      stderr: '',
      stdout: fired.map((unit) => `${unit}.timer loaded\n`).join(''),
    };
    let isFirst = true;
    machine.answers.set('systemctl', ([verb]) => {
      if (verb !== 'list-units' || !isFirst) return undefined;
      isFirst = false;
      for (const unit of fired) machine.timers.delete(unit);
      return listed;
    });
    await host.arm(order('sudo_rule'));
    assert.equal(machine.timers.size, 1);
    machine.answers.set('systemctl', ([verb]) => (verb === 'stop' ? failing('Access denied')() : undefined));
    await assert.rejects(host.disarm(SESSION), refusedAs('REMOVER_UNAVAILABLE'));
    assert.equal(machine.timers.size, 1);
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
    host = hostOn(machine, clock, { sweep: 'none' });
    const { kinds } = await host.prepare();
    assert.ok(!kinds.group_membership.supported);
    assert.match(kinds.group_membership.why, /lasts over a reboot/);
    await assert.rejects(host.grant(order('group_membership')), refusedAs('GRANT_KIND_UNSUPPORTED'));
    assert.deepEqual(machine.members('sudo'), ['carol']);
  });

  it('gives a membership under OpenRC, behind a service of its boot runlevel', async () => {
    mkdirSync(path.join(machine.etc, 'init.d'));
    host = hostOn(machine, clock, { sweep: 'openrc' });
    await host.grant(order('group_membership'));
    assert.deepEqual(machine.members('sudo'), ['carol', 'user1001']);
    const service = path.join(machine.etc, 'init.d/curfew-boot-sweep');
    assert.equal(readlinkSync(path.join(machine.etc, 'runlevels/boot/curfew-boot-sweep')), service);
    const text = readFileSync(service, 'utf8');
    assert.match(text, /^\t\/bin\/sh \S+remove-memberships\.sh other-boots \S+memberships$/m);
    assert.equal(spawnSync('sh', ['-n', service]).status, 0);
    await host.uninstall();
    assert.deepEqual(readdirSync(path.join(machine.etc, 'init.d')), []);
    assert.deepEqual(readdirSync(path.join(machine.etc, 'runlevels/boot')), []);
  });

  for (const [rules, groups, expected] of [
    [['wheel'], 'sudo:x:27:carol\nwheel:x:10:\n', 'wheel'],
    [['ops', 'sudo'], 'ops:x:9:\nsudo:x:27:carol\nwheel:x:10:\n', 'sudo'],
    [['ops'], 'ops:x:9:\nsudo:x:27:carol\n', 'ops'],
    [['gone'], 'sudo:x:27:carol\n', 'sudo'],
  ] as const)
    it(`gives ${expected} where the machine's rules name ${rules.join(' and ')}`, async () => {
      writeFileSync(machine.groupFile, `root:x:0:\n${groups}`);
      host = hostOn(machine, clock, { ruleGroups: rules });
      await host.grant(order('group_membership'));
      assert.ok(machine.members(expected).includes('user1001'));
    });

  it('adds with addgroup where there is no gpasswd, and gives none without either or without getent', async () => {
    machine.missing.add('gpasswd');
    await host.grant(order('group_membership'));
    assert.deepEqual(machine.members('sudo'), ['carol', 'user1001']);
    await host.remove(order('group_membership'));
    for (const [tool, why] of [
      ['addgroup', /neither gpasswd nor addgroup is installed/],
      ['getent', /getent is not installed/],
    ] as const) {
      machine.missing.add(tool);
      const { kinds } = await host.prepare();
      assert.ok(!kinds.group_membership.supported);
      assert.match(kinds.group_membership.why, why);
      await assert.rejects(host.grant(order('group_membership')), refusedAs('GRANT_KIND_UNSUPPORTED'));
    }
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
      host = hostOn(machine, clock, { accountOf: async () => odd });
      await assert.rejects(host.grant(order('group_membership', { account: odd })), refusedAs('ACCOUNT_INELIGIBLE'));
      assert.ok(!machine.ran.some(([program]) => program === '/usr/bin/gpasswd'));
    });

  it('gives what it makes the label of its place under SELinux, and says when it cannot', async () => {
    rmSync(path.join(machine.etc, 'sudoers.d/zz-curfew'));
    machine.answers.set('restorecon', () => ({ exitCode: 0, signal: null, stdout: '', stderr: '' }));
    host = hostOn(machine, clock, { selinux: true });
    assert.ok(!(await host.prepare()).findings.some((finding) => finding.includes('SELinux')));
    await host.grant(order('sudo_rule'));
    const labelled = machine.ran.filter(([program]) => program === '/usr/bin/restorecon').map((argv) => argv.slice(3));
    const [run, rules] = [machine.runtimeDir, `${machine.runtimeDir}/sudoers.d`];
    assert.deepEqual(labelled, [[run, rules], [`${machine.etc}/sudoers.d/zz-curfew`], [`${rules}/1001-${SESSION}`]]);
    machine.answers.set('restorecon', failing('restorecon: not permitted'));
    assert.match((await host.prepare()).findings.join(), /label of their place for SELinux: restorecon: not permitted/);
  });

  describe("whose sudo is not Debian's", () => {
    const dropIn = (): string => path.join(machine.etc, 'sudoers.d/zz-curfew');
    const again = async (kind: 'sudo_rule' = 'sudo_rule') => {
      host = hostOn(machine, clock);
      const capabilities = await host.prepare();
      return { ...capabilities, support: capabilities.kinds[kind] };
    };
    /** sudo-rs 0.2.5-5+deb13u1 of Debian 13, as it answered when it was run with these texts. */
    const sudoRs = (): void => {
      machine.answers.set('sudo', ([flag]) =>
        flag === '-V' ? { exitCode: 0, signal: null, stdout: 'sudo-rs 0.2.5\n', stderr: '' } : undefined,
      );
      machine.answers.set('visudo', ([, , file = '']) => {
        if (!existsSync(file))
          return failing(`visudo: unable to open ${file}: No such file or directory (os error 2)`)();
        const [, unknown] = /\b(NOTAFTER|log_servers)\b/.exec(readFileSync(file, 'utf8')) ?? [];
        const what =
          unknown === 'NOTAFTER' ? 'NOTAFTER is not supported by sudo-rs' : `unknown setting: '${unknown ?? ''}'`;
        if (unknown !== undefined)
          return failing(`${file}:1:21: syntax error: ${what}\nvisudo: invalid sudoers file`)();
        return { exitCode: 0, signal: null, stdout: `${file}: parsed OK\n`, stderr: '' };
      });
    };

    it('is given a rule by sudo-rs, without an end of its own and without a log server, and says so', async () => {
      sudoRs();
      const { support, sudoVersion, sudoEnforcesEnd, findings } = await again();
      assert.deepEqual([support, sudoVersion, sudoEnforcesEnd], [{ supported: true }, 'sudo-rs 0.2.5', false]);
      assert.match(findings.join('\n'), /cannot end a rule by itself.*\n.*no session can be recorded/);
      await host.grant(order('sudo_rule'));
      const rule = readFileSync(`${machine.runtimeDir}/sudoers.d/1001-${SESSION}`, 'utf8');
      assert.match(rule, /^Defaults:#1001 timestamp_timeout=0\n#1001 ALL=\(ALL:ALL\) NOPASSWD: ALL$/m);
      assert.equal(await host.inspect(order('sudo_rule')), 'live');
    });

    it('is refused what sudo-rs must record, and given what it only should', async () => {
      sudoRs();
      await again();
      const recorded = (required: boolean) => order('sudo_rule', { recording: { mode: 'output', required } });
      await assert.rejects(host.grant(recorded(true)), refusedAs('GRANT_KIND_UNSUPPORTED'));
      assert.deepEqual([machine.hasRule(1001), await host.list()], [false, []]);
      await host.grant(recorded(false));
      assert.equal(machine.hasRule(1001), true);
    });

    it('is given nothing by a sudo that does not run for the agent, and is told what it says', async () => {
      // sudo-rs 0.2.13-0ubuntu1 of Ubuntu 26.04, from a service with NoNewPrivileges=yes.
      const said = 'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.';
      machine.answers.set('sudo', () => ({ exitCode: 1, signal: null, stdout: '', stderr: `${said}\nsudo: more\n` }));
      const { support, sudoVersion, findings } = await again();
      assert.deepEqual(
        [support, sudoVersion],
        [{ supported: false, why: `sudo does not run for the agent: ${said}` }, ''],
      );
      assert.ok(findings.includes(`Sudo rules cannot be given here: sudo does not run for the agent: ${said}.`));
      await assert.rejects(host.grant(order('sudo_rule')), refusedAs('GRANT_KIND_UNSUPPORTED'));
      assert.deepEqual(await host.list(), []);
    });

    it('is given nothing where sudoers includes no folder, is told what to add, and keeps its sudoers', async () => {
      const text = 'root ALL=(ALL:ALL) ALL\n';
      writeFileSync(machine.sudoers, text);
      const { support } = await again();
      assert.ok(!support.supported);
      assert.ok(support.why.includes(`add the line '@includedir ${machine.runtimeDir}/sudoers.d'`), support.why);
      await assert.rejects(host.grant(order('sudo_rule')), refusedAs('GRANT_KIND_UNSUPPORTED'));
      assert.deepEqual([machine.hasRule(1001), existsSync(dropIn())], [false, true]);
      assert.equal(readFileSync(machine.sudoers, 'utf8'), text);
    });

    it('is given rules where sudoers itself includes the folder, and no drop-in is put anywhere', async () => {
      writeFileSync(machine.sudoers, `@includedir ${machine.runtimeDir}/sudoers.d\n`);
      rmSync(dropIn());
      assert.deepEqual((await again()).support, { supported: true });
      await host.grant(order('sudo_rule'));
      assert.equal(existsSync(dropIn()), false);
      assert.equal(
        await hostOn(machine, clock).inspect(order('sudo_rule')),
        'live',
        'before a next agent has prepared',
      );
      writeFileSync(machine.sudoers, 'root ALL=(ALL:ALL) ALL\n');
      assert.equal(await host.inspect(order('sudo_rule')), 'altered');
    });

    it("is included with '#' where this sudo does not know '@'", async () => {
      rmSync(dropIn());
      machine.answers.set('visudo', ([, , file = '']) =>
        /^@/m.test(readFileSync(file, 'utf8')) ? failing('syntax error near line 2')() : undefined,
      );
      assert.deepEqual((await again()).support, { supported: true });
      assert.match(readFileSync(dropIn(), 'utf8'), /^#includedir /m);
    });

    for (const [missing, why] of [
      ['sudo', 'sudo is not installed'],
      ['visudo', 'visudo is not installed'],
    ] as const)
      it(`is given nothing where ${why}`, async () => {
        machine.missing.add(missing);
        assert.deepEqual((await again()).support, { supported: false, why });
        await assert.rejects(host.grant(order('sudo_rule')), refusedAs('GRANT_KIND_UNSUPPORTED'));
        assert.deepEqual([machine.hasRule(1001), await host.list()], [false, []]);
      });
  });

  describe('what is recorded', () => {
    const RECORDED = { recording: { mode: 'output', required: true } } as const;
    const rule = (): string => readFileSync(`${machine.runtimeDir}/sudoers.d/1001-${SESSION}`, 'utf8');
    const followed = (): unknown =>
      JSON.parse(readFileSync(path.join(machine.runtimeDir, 'processes/live', SESSION), 'utf8'));
    const oldSudo = (): void =>
      void machine.answers.set('visudo', ([, , file]) =>
        file?.includes('/.check-') === true ? failing('unknown')() : undefined,
      );

    it('is in the rule, and known to the follower; after a restart the rule is known again', async () => {
      const given = order('sudo_rule', RECORDED);
      await host.grant(given);
      assert.match(rule(), /^Defaults:#1001 .*, log_servers=127\.0\.0\.1:614, .*, log_output, /m);
      assert.deepEqual(followed(), { sessionId: SESSION, uid: 1001, since: 100, keep: false, ...RECORDED });
      const restarted = hostOn(machine, clock);
      await restarted.prepare();
      assert.equal(await restarted.inspect(given), 'live');
      const { recording: _, ...unrecorded } = given;
      assert.equal(await restarted.inspect(unrecorded), 'altered', 'a rule that records is another one');
    });

    it('is refused where this sudo cannot and must, and left out where it need not', async () => {
      oldSudo();
      await assert.rejects(host.grant(order('sudo_rule', RECORDED)), refusedAs('GRANT_KIND_UNSUPPORTED'));
      assert.deepEqual([machine.hasRule(1001), await host.list()], [false, []]);
      const given = order('sudo_rule', { recording: { mode: 'output', required: false } });
      await host.grant(given);
      assert.match(rule(), /^Defaults:#1001 timestamp_timeout=0, log_servers\+=127/m);
      machine.answers.clear();
      const restarted = hostOn(machine, clock);
      await restarted.prepare();
      assert.equal(await restarted.inspect(given), 'live');
    });

    it('is refused where the follower cannot be told of it and must, and given all the same where it need not', async () => {
      mkdirSync(path.join(machine.runtimeDir, `processes/live/.${SESSION}`), { recursive: true });
      await assert.rejects(host.grant(order('sudo_rule', RECORDED)), refusedAs('DEVICE_STORAGE_FAILED'));
      assert.equal(machine.hasRule(1001), false);
      await host.grant(order('sudo_rule', { recording: { mode: 'output', required: false } }));
      assert.equal(machine.hasRule(1001), true);
    });

    it('is given when nobody can follow it and nobody must, and says so until it ends', async () => {
      await host.prepare();
      mkdirSync(path.join(machine.runtimeDir, `processes/live/.${SESSION}`), { recursive: true });
      await host.grant(order('sudo_rule'));
      assert.equal(machine.hasRule(1001), true);
      assert.equal(host.troubles().length, 1);
      assert.match(
        host.troubles()[0] ?? '',
        new RegExp(`^What the session ${SESSION} runs is not followed, and not ended with it: Error: EISDIR`),
      );
      await host.remove(order('sudo_rule'));
      assert.deepEqual(host.troubles(), []);
    });

    it('is told when this sudo cannot', async () => {
      oldSudo();
      const { findings } = await hostOn(machine, clock).prepare();
      assert.ok(
        findings.some((finding) => finding.includes('does not say what it runs')),
        findings.join(),
      );
    });
  });
});
