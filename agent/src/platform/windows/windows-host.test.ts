import { bootMs, CurfewError, instantMs, ManualClock, MINUTE, SECOND, type GrantOptions } from '@curfew/shared';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { GrantAccount, GrantOrder } from '../../ports/privilege-host.js';
import { describePrivilegeHost, type HostOnTrial } from '../../ports/privilege-host-contract.js';
import { FakeWindows, LANGUAGES, SIDS } from './fake-windows.js';
import { bootIdOf } from './windows-machine.js';
import { LocalGroups } from './local-groups.js';
import { MembershipMarks } from './membership-marks.js';
import { PowerEnding } from './power-ending.js';
import { TaskRemover } from './task-remover.js';
import { ADMINISTRATORS, STATUS } from './windows-api.js';
import { fingerprint, WindowsAccounts } from './windows-accounts.js';
import { WindowsHost } from './windows-host.js';

const SESSION = `ses-${'0'.repeat(20)}`;
const [ENGLISH, GERMAN] = LANGUAGES as [(typeof LANGUAGES)[0], (typeof LANGUAGES)[0]];
const OPTIONS: GrantOptions = {
  kind: 'group_membership',
  passwordRequired: false,
  commands: [],
  runAs: '',
  group: '',
};
let boots = 0;

const person = (name: string, sid: string): GrantAccount => ({ name, uid: null, sid, fingerprint: fingerprint(sid) });
const [ALICE, BOB] = [person('alice', SIDS.alice), person('bob', SIDS.bob)];

function processOn(windows: FakeWindows, clock: ManualClock) {
  const groups = new LocalGroups(windows);
  const marks = new MembershipMarks(path.join(windows.stateDir, 'memberships'));
  const accounts = new WindowsAccounts({ api: windows, groups, marks });
  const found: string[] = [];
  const ending = new PowerEnding({
    tokens: windows.tokens,
    clock,
    folder: path.join(windows.stateDir, 'ending'),
    isAdministrator: async (sid) => windows.members.get(ADMINISTRATORS)?.has(sid) === true,
    found: (text) => found.push(text),
  });
  const remover = new TaskRemover({
    runner: windows,
    clock,
    schtasks: 'C:\\Windows\\System32\\schtasks.exe',
    folder: path.join(windows.stateDir, 'armed'),
    mark: 'curfew',
    program: ['C:\\Program Files\\Curfew\\node.exe', 'C:\\Program Files\\Curfew\\agent.cjs'],
  });
  const bootId = (): string => bootIdOf(windows.registry, () => `boot-${(boots += 1)}`);
  const host = new WindowsHost({ api: windows.groups, groups, accounts, marks, remover, ending, bootId });
  return { host, accounts, marks, ending, found };
}

function trialOn(windows: FakeWindows): HostOnTrial {
  const clock = new ManualClock();
  const planted = ['memberships', 'armed', 'ending'].map((folder) => path.join(windows.stateDir, folder, 'notes.txt'));
  return {
    start: () => processOn(windows, clock).host,
    clock,
    alice: ALICE,
    bob: BOB,
    ineligible: person(`${windows.language.authority}\\SYSTEM`, SIDS.system),
    inForce: async ({ sid }) => windows.members.get(ADMINISTRATORS)?.has(sid) === true,
    isArmed: async (id) => windows.tasks.has(`\\Curfew\\curfew-remove-${id}`),
    alter: async ({ account }) => void windows.members.get(ADMINISTRATORS)?.delete(account.sid),
    foreign: async () => {
      const own = new Set<string>([SIDS.alice, SIDS.bob]);
      const groups = [...windows.members].map(([sid, members]) => [sid, [...members].filter((one) => !own.has(one))]);
      return JSON.stringify([groups, [...windows.tasks.keys()].filter((name) => !name.startsWith('\\Curfew\\'))]);
    },
    plant: async () => {
      for (const file of planted) {
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, 'not Curfew’s');
      }
      windows.tasks.set('\\Backup', '<Task/>');
    },
    plantIsThere: async () =>
      windows.tasks.has('\\Backup') &&
      planted.slice(0, 2).every((file) => readdirSync(path.dirname(file)).includes('notes.txt')),
    refused: [
      {
        name: 'a rule for sudo',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: { options: { ...OPTIONS, kind: 'sudo_rule' } },
      },
      {
        name: 'a group that the machine does not have',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: { options: { ...OPTIONS, group: 'Nobody' } },
      },
      {
        name: 'an account as a group',
        code: 'GRANT_KIND_UNSUPPORTED',
        change: { options: { ...OPTIONS, group: 'bob' } },
      },
      {
        name: 'who is a member anyway',
        code: 'ACCOUNT_INELIGIBLE',
        change: { account: person('carol', SIDS.carol) },
      },
      {
        name: 'who is an administrator by a group of the domain',
        code: 'ACCOUNT_INELIGIBLE',
        change: { account: person('CORP\\dora', SIDS.dora) },
        prepare: async () => void windows.members.get(ADMINISTRATORS)?.add(SIDS.domainAdmins),
      },
      {
        name: 'who is disabled',
        code: 'ACCOUNT_INELIGIBLE',
        change: {},
        prepare: async () => void windows.flags.set('alice', 2),
      },
    ],
    dispose: async () => {
      windows.dispose();
    },
  };
}

for (const language of LANGUAGES)
  describePrivilegeHost(
    `a host on ${language.name}`,
    'group_membership',
    async () => trialOn(new FakeWindows(language)),
    [
      'a rule for sudo',
      'a group that the machine does not have',
      'an account as a group',
      'who is a member anyway',
      'who is an administrator by a group of the domain',
      'who is disabled',
    ],
  );

describe('a membership of the administrators of Windows', () => {
  let windows: FakeWindows;
  let clock: ManualClock;
  let host: WindowsHost;

  beforeEach(() => {
    windows = new FakeWindows(GERMAN);
    clock = new ManualClock();
    host = processOn(windows, clock).host;
  });
  afterEach(() => {
    windows.dispose();
  });

  const order = (change: Partial<GrantOrder> = {}): GrantOrder => ({
    sessionId: SESSION,
    account: ALICE,
    options: OPTIONS,
    deadline: bootMs(clock.bootTime() + 10 * MINUTE),
    wallEnd: instantMs(clock.now() + 10 * MINUTE),
    keepProcesses: false,
    ...change,
  });
  const administrators = (): string[] => [...(windows.members.get(ADMINISTRATORS) ?? [])];
  const refusedAs = (code: string) => (error: unknown) => {
    assert.ok(error instanceof CurfewError);
    assert.equal(error.code, code, error.message);
    return true;
  };

  for (const [account, title] of [
    [person('CORP\\dora', SIDS.dora), 'a domain'],
    [person('AzureAD\\EvaExample', SIDS.entra), 'Microsoft Entra'],
  ] as const)
    it(`is given to an account of ${title} by its SID, and taken without its name`, async () => {
      await host.grant(order({ account }));
      assert.ok(administrators().includes(account.sid));
      // The domain does not answer any more.
      windows.named.splice(
        windows.named.findIndex(({ sid }) => sid === account.sid),
        1,
      );
      await host.remove(order({ account }));
      assert.ok(!administrators().includes(account.sid));
    });

  it('is of a group that a lease names, also when that is called otherwise at the end', async () => {
    const wanted = order({ options: { ...OPTIONS, group: 'Help Desk' } });
    await host.grant(wanted);
    assert.deepEqual([...(windows.members.get(SIDS.helpdesk) ?? [])], [SIDS.alice]);
    const at = windows.named.findIndex(({ sid }) => sid === SIDS.helpdesk);
    windows.named[at] = { ...windows.named[at]!, name: 'Renamed' };
    assert.equal(await host.inspect(wanted), 'live');
    await host.remove(wanted);
    assert.deepEqual([...(windows.members.get(SIDS.helpdesk) ?? [])], []);
  });

  it('is not taken from somebody to whom another has given it in the same moment', async () => {
    windows.beforeAdd = () => void windows.members.get(ADMINISTRATORS)?.add(SIDS.alice);
    await assert.rejects(host.grant(order()), refusedAs('ACCOUNT_INELIGIBLE'));
    assert.ok(administrators().includes(SIDS.alice));
    assert.deepEqual(await host.list(), []);
  });

  it('is no right when Windows says that it is, and the group does not hold the account', async () => {
    windows.groups.add = async () => STATUS.ok;
    await assert.rejects(host.grant(order()), refusedAs('GRANT_NOT_EFFECTIVE'));
    assert.deepEqual(await host.list(), []);
  });

  it('is not given where Windows refuses, and the status is told', async () => {
    windows.statuses.set('add', 5);
    await assert.rejects(host.grant(order()), (error: Error) =>
      error.message.includes('NetLocalGroupAddMembers gave 5'),
    );
    assert.ok(!administrators().includes(SIDS.alice));
  });

  it('is on record until it is read as gone', async () => {
    await host.grant(order());
    windows.statuses.set('remove', 5);
    await assert.rejects(host.remove(order()), refusedAs('COMMAND_FAILED'));
    assert.equal((await host.list()).length, 1);
    windows.groups.remove = async () => STATUS.ok;
    await assert.rejects(host.remove(order()), refusedAs('COMMAND_FAILED'));
    assert.equal((await host.list()).length, 1);
  });

  for (const status of [STATUS.notMember, STATUS.noSuchMember])
    it(`counts as gone when Windows answers ${status}`, async () => {
      await host.grant(order());
      windows.members.get(ADMINISTRATORS)?.delete(SIDS.alice);
      windows.groups.remove = async () => status;
      await host.remove(order());
      assert.deepEqual(await host.list(), []);
    });

  describe('that two sessions share', () => {
    const other = (): GrantOrder =>
      order({ sessionId: `ses-${'1'.repeat(20)}`, options: { ...OPTIONS, group: GERMAN.administrators } });
    const isAdministrator = (): boolean => administrators().includes(SIDS.alice);

    beforeEach(async () => {
      await host.grant(order());
      await host.grant(other());
    });

    it('stays until the second of them has ended', async () => {
      await host.remove(order());
      assert.ok(isAdministrator());
      assert.equal(await host.inspect(other()), 'live');
      await host.remove(other());
      assert.ok(!isAdministrator());
      assert.deepEqual(readdirSync(path.join(windows.stateDir, 'memberships')), []);
    });

    it('goes where both end at once', async () => {
      await Promise.all([host.remove(order()), host.remove(other())]);
      assert.ok(!isAdministrator());
      assert.deepEqual(await host.list(), []);
    });

    it('goes where another process ends one while the other is about to be off the record', async () => {
      const task = processOn(windows, clock);
      const forget = task.marks.remove.bind(task.marks);
      task.marks.remove = async (sessionId) => {
        await host.remove(other());
        await forget(sessionId);
      };
      await task.host.remove(order());
      assert.ok(!isAdministrator());
      assert.deepEqual(await host.list(), []);
    });

    it('is on record until it is read as gone, also of one that was about to leave', async () => {
      const task = processOn(windows, clock);
      task.marks.remove = () => Promise.reject(new Error('killed'));
      await assert.rejects(task.host.remove(order()), /killed/);
      assert.deepEqual((await host.list()).map(({ sessionId }) => sessionId).sort(), [SESSION, other().sessionId]);
      await host.remove(other());
      assert.ok(!isAdministrator());
      await processOn(windows, clock).host.remove(order());
      assert.deepEqual(await host.list(), []);
    });

    it('is given anew to who would join while the last one leaves', async () => {
      await host.remove(other());
      const take = windows.groups.remove.bind(windows.groups);
      let joining: Promise<void> | undefined;
      windows.groups.remove = async (group, sid) => {
        if (sid === SIDS.alice && joining === undefined) {
          joining = host.grant(other());
          const meanwhile = processOn(windows, clock).host;
          const bobs = order({ sessionId: `ses-${'2'.repeat(20)}`, account: BOB });
          // Longer than joining takes where it waits for nobody.
          for (const change of ['grant', 'remove', 'grant', 'remove'] as const) await meanwhile[change](bobs);
        }
        return take(group, sid);
      };
      await host.remove(order());
      await joining;
      assert.equal(await host.inspect(other()), 'live');
    });
  });

  it('of another boot is found by its mark, and its tokens are nobody’s any more', async () => {
    await host.grant(order());
    windows.reboot();
    const next = processOn(windows, clock);
    const [found] = await next.host.list();
    assert.ok(found);
    await next.host.remove(found);
    assert.ok(!administrators().includes(SIDS.alice));
    assert.deepEqual(windows.messages, []);
  });

  it('is no standing one for the list of accounts, as another is', async () => {
    const { accounts } = processOn(windows, clock);
    await host.grant(order());
    const people = await accounts.list();
    assert.deepEqual(
      people.map(({ name, standingAdmin, uid }) => [name, standingAdmin, uid]),
      [
        ['Administrator', true, null],
        ['alice', false, null],
        ['bob', false, null],
        ['carol', true, null],
      ],
    );
  });

  it('is found in the accounts that have signed in, whatever keeps them', async () => {
    const profiles = ['S-1-5-18', SIDS.dora, SIDS.entra, SIDS.orphan, `${SIDS.dora}_Classes`];
    windows.keys.set(String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`, profiles);
    const names = (await processOn(windows, clock).accounts.list()).map(({ name }) => name);
    assert.deepEqual(names.slice(4), ['CORP\\dora', 'AzureAD\\EvaExample']);
  });

  describe('is of an account that cannot be looked up', () => {
    const forget = (sid: string): void => {
      windows.named.splice(
        windows.named.findIndex((one) => one.sid === sid),
        1,
      );
    };

    it('and is gone, where this machine keeps its accounts itself', async () => {
      forget(SIDS.alice);
      const { accounts } = processOn(windows, clock);
      assert.equal(await accounts.byKey(`sid:${SIDS.alice}`), undefined);
      assert.equal(await accounts.byKey('sid:S-1-5-80-1'), undefined, 'who is no person');
    });

    for (const [sid, where] of [
      [SIDS.dora, 'a domain'],
      [SIDS.entra, 'Microsoft Entra'],
    ] as const)
      it(`and may be there all the same, where ${where} keeps it`, async () => {
        const { accounts } = processOn(windows, clock);
        assert.ok(await accounts.byKey(`sid:${sid}`));
        forget(sid);
        await assert.rejects(accounts.byKey(`sid:${sid}`), refusedAs('COMMAND_FAILED'));
        await assert.rejects(host.grant(order({ account: person('x', sid) })), refusedAs('COMMAND_FAILED'));
        assert.ok(!administrators().includes(sid));
      });
  });

  it('is looked for in one account after the other, for a domain may be long in answering', async () => {
    const profiles = [SIDS.dora, SIDS.entra, SIDS.bob];
    windows.keys.set(String.raw`SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`, profiles);
    let [asking, most] = [0, 0];
    const counted =
      <A, R>(ask: (argument: A) => Promise<R>) =>
      async (argument: A): Promise<R> => {
        most = Math.max(most, (asking += 1));
        await Promise.resolve();
        asking -= 1;
        return ask(argument);
      };
    windows.groups.groupsOf = counted(windows.groups.groupsOf.bind(windows.groups));
    for (const call of ['bySid', 'byName'] as const)
      windows.accounts[call] = counted(windows.accounts[call].bind(windows.accounts));
    assert.equal((await processOn(windows, clock).accounts.list()).length, 6);
    assert.equal(most, 1);
  });

  it('changes what the accounts say of themselves to be told', async () => {
    const { accounts } = processOn(windows, clock);
    const before = await accounts.version();
    assert.equal(await accounts.version(), before);
    windows.flags.set('bob', 2);
    assert.notEqual(await accounts.version(), before);
  });
});

describe('what a membership leaves in tokens', () => {
  let windows: FakeWindows;
  let clock: ManualClock;

  beforeEach(() => {
    windows = new FakeWindows(ENGLISH);
    clock = new ManualClock();
    windows.processes = [
      { pid: 10, created: 1n, sid: SIDS.alice, isElevated: true, program: 'cmd.exe' },
      { pid: 11, created: 1n, sid: SIDS.alice, isElevated: false, program: 'explorer.exe' },
      { pid: 12, created: 1n, sid: SIDS.carol, isElevated: true, program: 'mmc.exe' },
      { pid: 4, created: 1n, sid: SIDS.system, isElevated: true, program: 'System' },
    ];
    windows.logons = [
      { id: 1, sid: SIDS.alice, elevation: 'limited', isAdministrator: true },
      { id: 2, sid: SIDS.alice, elevation: 'default', isAdministrator: false },
      { id: 3, sid: SIDS.carol, elevation: 'limited', isAdministrator: true },
    ];
  });
  afterEach(() => {
    windows.dispose();
  });

  const ended = { sessionId: SESSION, sid: SIDS.alice, bootId: 'boot', keep: false };
  const pids = (): number[] => windows.processes.map(({ pid }) => pid);
  const logons = (): number[] => windows.logons.map(({ id }) => id);

  /** Lets a second pass, and whatever follows from it. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      await clock.waitForTimer();
      clock.advance(SECOND);
    }
  }

  it('ends at once where it runs elevated, and after a warning where it would only take a click', async () => {
    const { ending } = processOn(windows, clock);
    await ending.begin(ended);
    const over = ending.untilOver();
    await clock.waitForTimer();
    assert.deepEqual(pids(), [11, 12, 4]);
    assert.deepEqual(
      windows.messages.map(([logon]) => logon),
      [1],
    );
    assert.deepEqual(logons(), [1, 2, 3]);
    // Elevated by a click, within the minute.
    windows.processes.push({ pid: 13, created: 9n, sid: SIDS.alice, isElevated: true, program: 'regedit.exe' });
    await pass(1);
    await clock.waitForTimer();
    assert.deepEqual(pids(), [11, 12, 4]);
    await pass(58);
    await clock.waitForTimer();
    assert.deepEqual(logons(), [1, 2, 3]);
    await pass(2);
    await over;
    assert.deepEqual(logons(), [2, 3]);
    assert.equal(windows.messages.length, 1);
    assert.deepEqual(readdirSync(path.join(windows.stateDir, 'ending')), []);
  });

  it('is only told where the policy says so', async () => {
    const { ending, found } = processOn(windows, clock);
    await ending.begin({ ...ended, keep: true });
    await ending.untilOver();
    assert.deepEqual([pids(), logons(), windows.messages], [[10, 11, 12, 4], [1, 2, 3], []]);
    assert.deepEqual(found, ['an account keeps tokens of an administrator by policy']);
  });

  it('is left to who has become an administrator again', async () => {
    windows.members.get(ADMINISTRATORS)?.add(SIDS.alice);
    const { ending } = processOn(windows, clock);
    await ending.begin(ended);
    await ending.untilOver();
    assert.deepEqual(
      [pids(), logons()],
      [
        [10, 11, 12, 4],
        [1, 2, 3],
      ],
    );
  });

  it('is ended by the next process of the same boot, and forgotten after another', async () => {
    const first = processOn(windows, clock);
    await first.ending.begin(ended);
    await clock.waitForTimer();
    first.ending.stop();
    windows.processes.push({ pid: 13, created: 9n, sid: SIDS.alice, isElevated: true, program: 'regedit.exe' });
    const next = processOn(windows, clock);
    await next.ending.resume('boot');
    await clock.waitForTimer();
    assert.deepEqual(pids(), [11, 12, 4]);
    next.ending.stop();
    const last = processOn(windows, clock);
    await last.ending.resume('boot after');
    assert.deepEqual(readdirSync(path.join(windows.stateDir, 'ending')), []);
    assert.deepEqual(logons(), [1, 2, 3]);
  });

  describe('when Curfew is taken off the machine', () => {
    /** Uninstalls, in the process after the agent's, which was stopped while it was ending what alice's right had left. */
    async function uninstallMeanwhile(seconds: number): Promise<number> {
      const agent = processOn(windows, clock);
      const bootId = bootIdOf(windows.registry, () => 'boot');
      await agent.ending.begin({ ...ended, bootId });
      await clock.waitForTimer();
      agent.ending.stop();
      const over = new AbortController();
      const { host } = processOn(windows, clock);
      const uninstalled = host.uninstall().then(() => {
        over.abort();
      });
      let passed = 0;
      for (; passed < seconds && !over.signal.aborted; passed += 1) {
        await Promise.race([clock.waitForTimer(), uninstalled]);
        // What the second before has begun comes to its end.
        await agent.marks.list();
        clock.advance(SECOND);
      }
      await uninstalled;
      assert.equal(existsSync(path.join(windows.stateDir, 'ending')), false);
      return passed;
    }

    it('goes on to its end first', async () => {
      await uninstallMeanwhile(100);
      assert.deepEqual(
        [pids(), logons()],
        [
          [11, 12, 4],
          [2, 3],
        ],
      );
    });

    it('is waited for no longer than it should take', async () => {
      windows.tokens.signOut = async () => 5;
      const passed = await uninstallMeanwhile(100);
      assert.ok(passed >= 75 && passed < 80, String(passed));
      assert.deepEqual(logons(), [1, 2, 3]);
    });
  });

  it('begins when a right is removed, and the removal does not wait for it', async () => {
    const { host, ending } = processOn(windows, clock);
    const order = {
      sessionId: SESSION,
      account: ALICE,
      options: OPTIONS,
      deadline: bootMs(clock.bootTime() + MINUTE),
      wallEnd: instantMs(clock.now() + MINUTE),
      keepProcesses: false,
    };
    await host.grant(order);
    await host.remove(order);
    await clock.waitForTimer();
    assert.deepEqual(pids(), [11, 12, 4]);
    ending.stop();
  });
});
