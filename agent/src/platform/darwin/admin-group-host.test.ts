import { bootMs, CurfewError, instantMs, ManualClock } from '@curfew/shared';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CommandResult, CommandRunner } from '../../ports/command-runner.js';
import type { GrantOrder } from '../../ports/privilege-host.js';
import { MembershipMarks } from '../unix/membership-marks.js';
import { AdminGroupHost } from './admin-group-host.js';
import { macAnswer, type MacState } from './fake-mac-tools.js';
import { GroupWatch } from './group-watch.js';
import { MAC_MEMBERSHIP_REMOVAL } from './mac-membership-removal.js';
import { OpenDirectory } from './open-directory.js';
import { Sweeper } from './sweeper.js';

/** Tools that the script asks; what dscl says of a group is in a file for each of its keys. */
const PROGRAMS: Readonly<Record<string, string>> = {
  sysctl: 'echo BOOT-1',
  dsmemberutil: 'exit 0',
  dscacheutil: 'echo "name: alice"',
  dscl: 'cat "@FOLDER@/$4" 2>/dev/null || echo "No such key: $4"',
  dseditgroup: 'left=$(sed "s/ $4$//; s/ $4 / /" @FOLDER@/GroupMembership); echo "$left" >@FOLDER@/GroupMembership',
};

describe('memberships of admin on a Mac', () => {
  let folder: string;
  let state: MacState;
  let host: AdminGroupHost;
  let marks: MembershipMarks;

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'curfew-admin-'));
    const user = (name: string, uid: number) => ({ name, uid, gid: 20, uuid: `UUID-${uid}`, home: `/Users/${name}` });
    state = {
      users: [user('root', 0), user('_service', 248), user('alice', 501), user('bob', 502), user('carol', 503)],
      groups: [
        { name: 'admin', gid: 80, members: ['root', '_service', 'carol'] },
        { name: 'printers', gid: 1000, members: [] },
      ],
      boot: 'BOOT-1',
      bootSecond: 1_700_000_000,
      services: ['curfew.sweeper'],
    };
    const runner: CommandRunner = {
      run: async (program, args): Promise<CommandResult> => macAnswer(program, args, state),
    };
    const directory = new OpenDirectory(runner);
    marks = new MembershipMarks(folder, MAC_MEMBERSHIP_REMOVAL);
    const bootId = (): string => state.boot;
    const sweeper = new Sweeper({ runner, runtimeDir: folder, stateDir: folder, bootId, marks });
    host = new AdminGroupHost({
      ...{ runner, directory, marks, sweeper, bootId },
      watch: new GroupWatch(directory, new ManualClock(), path.join(folder, 'none')),
    });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const order = (name: string, uid: number, group = ''): GrantOrder => ({
    sessionId: `ses-${String(uid).padStart(20, '0')}`,
    account: { name, uid, sid: '', fingerprint: '' },
    options: { kind: 'group_membership', passwordRequired: false, commands: [], runAs: '', group },
    deadline: bootMs(1),
    wallEnd: instantMs(1),
    keepProcesses: false,
  });
  const [ALICE, BOB] = [order('alice', 501), order('bob', 502)];
  const refusedAsTheLast = async (refused: GrantOrder): Promise<void> => {
    const before = JSON.stringify([state, await marks.list()]);
    await assert.rejects(host.grant(refused), (error) => {
      assert.ok(error instanceof CurfewError);
      assert.equal(error.code, 'GRANT_KIND_UNSUPPORTED');
      assert.match(error.message, /no administrator but those of sessions, and .* would stay one/);
      return true;
    });
    assert.equal(JSON.stringify([state, await marks.list()]), before);
  };
  const setAdmins = (members: string[], nested?: readonly string[]): void => {
    state.groups[0] = { name: 'admin', gid: 80, members, ...(nested !== undefined && { nested }) };
  };

  it('are given where somebody else is an administrator, and one after the other', async () => {
    await host.grant(ALICE);
    await host.grant(BOB);
    assert.deepEqual(state.groups[0]?.members, ['root', '_service', 'carol', 'alice', 'bob']);
  });

  it('are given where a group inside the group has the others', async () => {
    setAdmins(['root'], ['carol']);
    await host.grant(ALICE);
    assert.deepEqual((await host.prepare()).findings, []);
  });

  it('are not given where nobody else is, for nobody would take them away', async () => {
    setAdmins(['root', '_service']);
    await refusedAsTheLast(ALICE);
    setAdmins([]);
    await refusedAsTheLast(order('alice', 501, 'admin'));
    await host.grant(order('alice', 501, 'printers'));
    assert.deepEqual(state.groups[1]?.members, ['alice'], 'of another group they go at any time');
  });

  it('are not given where only others of sessions are, and a right that is there is given new terms', async () => {
    await host.grant(ALICE);
    setAdmins(['root', 'alice']);
    await refusedAsTheLast(BOB);
    await host.grant(ALICE);
    assert.deepEqual(state.groups[0]?.members, ['root', 'alice']);
    assert.match((await host.prepare()).findings.join(), /^This Mac has no administrator but those of sessions/);
  });

  for (const { name, members, nested = '', goes } of [
    { name: 'stay where nobody else is an administrator', members: 'root _service alice', goes: false },
    { name: 'go where somebody else is', members: 'root alice carol', goes: true },
    { name: 'go where a group is inside the group', members: 'root alice', nested: 'ABCD-1', goes: true },
  ])
    it(`${name} at their end`, async () => {
      const put = (file: string, text: string, mode = 0o644): void => {
        mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
        writeFileSync(path.join(folder, file), text, { mode });
      };
      for (const [program, text] of Object.entries(PROGRAMS))
        put(`bin/${program}`, `#!/bin/sh\n${text.replaceAll('@FOLDER@', folder)}\n`, 0o755);
      put('PrimaryGroupID', 'PrimaryGroupID: 80\n');
      put('GroupMembership', `GroupMembership: ${members}\n`);
      if (nested !== '') put('NestedGroups', `NestedGroups: ${nested}\n`);
      await marks.write({ bootId: 'BOOT-1', uid: 501, user: 'alice', group: 'admin', sessionId: ALICE.sessionId });
      const script = MAC_MEMBERSHIP_REMOVAL.replace('PATH=', `PATH=${folder}/bin:`);
      const args = ['-c', script, 'curfew', 'any', marks.folder];
      const { status, stderr } = spawnSync('/bin/sh', args, { encoding: 'utf8' });
      assert.equal(status, goes ? 0 : 1, stderr);
      assert.match(stderr, goes ? /^$/ : /^alice is the only administrator of this Mac/);
      const left = readFileSync(path.join(folder, 'GroupMembership'), 'utf8').trim();
      assert.equal(left, `GroupMembership: ${goes ? members.replace(' alice', '') : members}`);
      assert.equal(readdirSync(marks.folder).length, goes ? 0 : 1);
    });
});
