import { CurfewError, durationMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import { macAnswer, type MacState } from './fake-mac-tools.js';
import { LaunchdService } from './launchd-service.js';
import { MacAccounts } from './mac-accounts.js';
import { MacMachine } from './mac-machine.js';
import { MacMessenger } from './mac-messenger.js';
import { OpenDirectory } from './open-directory.js';
import { macPeerOf } from './peer-credentials.js';

const user = (name: string, uid: number, change: object = {}) => ({
  name,
  uid,
  gid: 20,
  uuid: `UUID-${uid}`,
  home: `/Users/${name}`,
  ...change,
});

class Mac implements CommandRunner {
  readonly ran: string[][] = [];
  readonly answers = new Map<string, CommandResult>();
  state: MacState = {
    users: [
      user('root', 0),
      user('_mbsetupuser', 248),
      user('alice', 501),
      user('carol', 502),
      user('mdmadmin', 503, { hidden: true }),
      user('net.user', 1_203_405_001, { network: true }),
    ],
    groups: [
      { name: 'admin', gid: 80, members: ['root', 'carol'], nested: ['net.user'] },
      { name: 'staff', gid: 20, members: ['root'] },
    ],
    boot: 'BOOT-1',
    bootSecond: 1_700_000_000,
    services: ['curfew.agent'],
  };

  async run(program: string, args: readonly string[]): Promise<CommandResult> {
    this.ran.push([program, ...args]);
    return this.answers.get(program) ?? macAnswer(program, args, this.state);
  }
}

const text = (stdout: string): CommandResult => ({ exitCode: 0, signal: null, stdout, stderr: '' });
const failedAs = (code: string) => (error: unknown) => error instanceof CurfewError && error.code === code;

describe("a Mac's directory", () => {
  let mac: Mac;
  let directory: OpenDirectory;
  beforeEach(() => {
    mac = new Mac();
    directory = new OpenDirectory(mac);
  });

  it("finds the administrators' group by its GID, and no other way", async () => {
    mac.state.groups[0] = { name: 'verwalter', gid: 80, members: [] };
    assert.deepEqual(await directory.adminGroup(), { name: 'verwalter', gid: 80 });
    mac.state.groups.push({ name: 'another', gid: 80, members: [] });
    await assert.rejects(directory.adminGroup(), failedAs('COMMAND_FAILED'));
  });

  it('believes a membership only when both the system and the group name it', async () => {
    mac.state.stale = 2;
    assert.equal(await directory.add('alice', 'admin'), '');
    assert.ok((await directory.members('admin')).names.has('alice'));
    mac.state.stale = 100;
    assert.equal(await directory.settles('alice', 'admin', true), false);
    mac.state.stale = 0;
    assert.equal(await directory.settles('net.user', 'admin', true), false, 'who is one by a group inside it');
  });

  it('does not take an exit code for an answer', async () => {
    mac.answers.set('/usr/sbin/dseditgroup', text(''));
    assert.notEqual(await directory.add('alice', 'admin'), '');
    mac.answers.set('/usr/bin/dsmemberutil', text('Unable to get UUID for the user.\n'));
    await assert.rejects(directory.isMember('alice', 'admin'), failedAs('COMMAND_FAILED'));
  });
});

describe("a Mac's accounts", () => {
  let mac: Mac;
  let accounts: MacAccounts;
  const given: { user: string; group: string }[] = [];
  beforeEach(() => {
    mac = new Mac();
    given.length = 0;
    accounts = new MacAccounts(new OpenDirectory(mac), { list: async () => given }, []);
  });

  it('are people from 501 on; role accounts are left out, hidden ones can never be elevated', async () => {
    const list = (await accounts.list()).map(({ name, standingAdmin, ineligibleReason }) => [
      name,
      standingAdmin,
      ineligibleReason,
    ]);
    assert.deepEqual(list, [
      ['alice', false, ''],
      ['carol', true, ''],
      ['mdmadmin', false, 'it is hidden: an account of management software'],
    ]);
  });

  it('are found by uid, those of a directory server too', async () => {
    assert.equal((await accounts.byKey('uid:501'))?.name, 'alice');
    assert.equal((await accounts.byKey('uid:1203405001'))?.name, 'net.user');
    assert.equal((await accounts.byKey('uid:0'))?.ineligibleReason, 'it is root already');
    assert.match((await accounts.byKey('uid:248'))?.ineligibleReason ?? '', /system account/);
    assert.equal(await accounts.byKey('uid:999'), undefined);
    assert.equal(await accounts.byKey('sid:S-1-5-18'), undefined);
  });

  it('are others when their UUID is another, with the same name and uid', async () => {
    const before = await accounts.byKey('uid:501');
    mac.state = {
      ...mac.state,
      users: mac.state.users.map((one) => (one.uid === 501 ? { ...one, uuid: 'NEW' } : one)),
    };
    const after = await accounts.byKey('uid:501');
    assert.equal(after?.name, before?.name);
    assert.notEqual(after?.fingerprint, before?.fingerprint);
  });

  it('are no administrators by what Curfew has given them', async () => {
    given.push({ user: 'carol', group: 'admin' });
    assert.equal((await accounts.byKey('uid:502'))?.standingAdmin, false);
  });
});

describe('what a Mac is', () => {
  // sw_vers(1) of OS X 10.13, macOS 14 and 13.4.1 (c); ioreg(8) of an Intel and of an Apple chip.
  for (const [versions, release] of [
    ['ProductName:\tMac OS X\nProductVersion:\t10.13.6\nBuildVersion:\t17G14042\n', 'Mac OS X 10.13.6 17G14042'],
    ['ProductName:\t\tmacOS\nProductVersion:\t\t14.5\nBuildVersion:\t\t23F79\n', 'macOS 14.5 23F79'],
    [
      'ProductName:\t\tmacOS\nProductVersion:\t\t13.4.1\nProductVersionExtra:\t(c)\nBuildVersion:\t\t22F770820d\n',
      'macOS 13.4.1 22F770820d',
    ],
  ] as const)
    it(`is told: ${release}`, async () => {
      const mac = new Mac();
      mac.answers.set('/usr/bin/sw_vers', text(versions));
      const expert =
        '+-o Mac14,2  <class IOPlatformExpertDevice, id 0x100000226, registered>\n    {\n      "IOPlatformUUID" = "0F0E0D0C-1111-2222-3333-444455556666"\n      "model" = <"Mac14,2">\n    }\n';
      mac.answers.set('/usr/sbin/ioreg', text(expert));
      const facts = await new MacMachine(mac).facts();
      assert.deepEqual(
        [facts.platform, facts.osRelease, facts.hardwareId, facts.model],
        ['darwin', release, '0F0E0D0C-1111-2222-3333-444455556666', 'Mac14,2'],
      );
    });

  it('has the id of one boot for as long as the agent runs', () => {
    let asked = 0;
    const machine = new MacMachine(new Mac(), () => `boot-${(asked += 1)}`);
    assert.deepEqual([machine.bootId(), machine.bootId()], ['boot-1', 'boot-1']);
  });
});

describe('what people on a Mac are told', () => {
  const alice = { name: 'alice', uid: 501, sid: '', fingerprint: '' };

  it('is an argument of the script and no part of it, in the part of launchd of whose screen it is', async () => {
    const mac = new Mac();
    const messenger = new MacMessenger({ runner: mac, consoleUid: async () => 501, terminals: [] });
    const hostile = '-e do shell script "id" " & quit & "';
    await messenger.tell(alice, hostile);
    const [call = []] = mac.ran;
    assert.deepEqual(call.slice(0, 8), [
      '/bin/launchctl',
      'asuser',
      '501',
      '/usr/bin/sudo',
      '-n',
      '-u',
      '#501',
      '/usr/bin/osascript',
    ]);
    assert.equal(call.at(-1), ` ${hostile}`);
    assert.equal(call.filter((argument) => argument.includes('quit')).length, 1);
  });

  it('is not shown on the screen of somebody else, nor when nobody is in front of it', async () => {
    for (const console of [502, 0, undefined]) {
      const mac = new Mac();
      await new MacMessenger({ runner: mac, consoleUid: async () => console, terminals: [] }).tell(alice, 'text');
      assert.deepEqual(mac.ran, []);
    }
  });
});

describe("the peer of a Mac's socket", () => {
  const socket = { _handle: { fd: 7 } } as unknown as Socket;
  const xucred = (version: number, uid: number): Buffer => {
    const bytes = Buffer.alloc(76);
    bytes.writeUInt32LE(version, 0);
    bytes.writeUInt32LE(uid, 4);
    return bytes;
  };
  const pid = Buffer.from([0x39, 0x05, 0, 0]);

  it('is read from the credentials that the kernel has', () => {
    const asked: number[][] = [];
    const peer = macPeerOf((fd, level, name, bytes) => {
      asked.push([fd, level, name, bytes]);
      return name === 1 ? xucred(0, 501) : pid;
    })(socket);
    assert.deepEqual(peer, { uid: 501, pid: 1337 });
    assert.deepEqual(asked, [
      [7, 0, 1, 76],
      [7, 0, 2, 4],
    ]);
  });

  for (const [name, answer] of [
    ['they cannot be read', undefined],
    ['they are of another version', xucred(1, 501)],
    ['they are too short', xucred(0, 501).subarray(0, 12)],
  ] as const)
    it(`is nobody when ${name}`, () => {
      assert.equal(macPeerOf((_fd, _level, name_) => (name_ === 1 ? answer : pid))(socket), undefined);
    });

  it('is nobody without a file descriptor', () => {
    assert.equal(macPeerOf(() => assert.fail('there is nothing to ask'))({} as Socket), undefined);
  });
});

describe('launchd', () => {
  it('is told not to start the agent again before it is stopped, and only where it knows it', async () => {
    const [mac, clock] = [new Mac(), new ManualClock()];
    await new LaunchdService({ runner: mac, clock, signal: () => false }).stopAgent(42);
    const verbs = mac.ran.map(([, ...args]) => args.join(' '));
    assert.deepEqual(verbs, [
      'print system/curfew.agent',
      'disable system/curfew.agent',
      'bootout system/curfew.agent',
    ]);
    mac.ran.length = 0;
    await new LaunchdService({ runner: mac, clock }).stopAgent(undefined);
    assert.deepEqual(
      mac.ran.map(([, verb]) => verb),
      ['print'],
    );
  });

  it('leaves an agent that does not stop to be killed', async () => {
    const [mac, clock] = [new Mac(), new ManualClock()];
    const sent: unknown[] = [];
    let alive = true;
    const signal = (pid: number, name: NodeJS.Signals | 0): boolean => {
      if (name !== 0) sent.push([pid, name]);
      if (name === 'SIGKILL') alive = false;
      return alive;
    };
    const stopped = new LaunchdService({ runner: mac, clock, signal }).stopAgent(42);
    const over = stopped.then(() => true);
    while (!(await Promise.race([over, clock.waitForTimer().then(() => false)]))) clock.advance(durationMs(50));
    assert.deepEqual(sent, [
      [42, 'SIGTERM'],
      [42, 'SIGKILL'],
    ]);
  });
});
