import assert from 'node:assert/strict';
import type { ProcessRow } from '../ports/process-table.js';
import { processKey, sessionMembers, withAncestors, withDescendants } from './session-members.js';

const SESSION = { sessionId: `ses-${'a'.repeat(20)}`, uid: 1001, since: 500, keep: false };
const SUDO = '/usr/bin/sudo';
const ROOT = [0, 0, 0, 0];
const ALICE = [1001, 1001, 1001, 1001];
const BOB = [1002, 1002, 1002, 1002];

const row = (pid: number, change: Partial<ProcessRow> = {}): ProcessRow => ({
  pid,
  ppid: 1,
  start: 600,
  name: 'sleep',
  uids: ROOT,
  program: '/usr/bin/sleep',
  cgroups: '0::/user.slice/session-1.scope\n',
  loginUid: undefined,
  sudoUid: undefined,
  ...change,
});
const sudo = row(10, { uids: [1001, 0, 0, 0], program: SUDO });
const inGroup = `1:name=systemd:/x\n0::/user.slice/session-1.scope/curfew-${SESSION.sessionId}\n`;

describe('which processes came from a session', () => {
  const cases: readonly {
    name: string;
    rows: readonly ProcessRow[];
    own?: number[];
    doubtful?: number[];
    known?: string;
  }[] = [
    { name: "what is in the session's control group", rows: [row(20, { cgroups: inGroup })], own: [20] },
    { name: 'what is in a group below it', rows: [row(20, { cgroups: inGroup.replace(/\n$/, '/mine\n') })], own: [20] },
    { name: 'not what is in a group with a longer name', rows: [row(20, { cgroups: inGroup.replace(/\n$/, 'x\n') })] },
    { name: 'sudo that the account called', rows: [sudo], own: [10] },
    { name: 'that sudo after an upgrade of it', rows: [row(10, { ...sudo, program: `${SUDO} (deleted)` })], own: [10] },
    { name: 'not sudo that another account called', rows: [row(10, { ...sudo, uids: [1002, 0, 0, 0] })] },
    { name: 'not another setuid program', rows: [row(10, { ...sudo, program: '/usr/bin/passwd' })] },
    {
      name: 'children of what came from it, as whoever',
      rows: [row(40, { ppid: 30, uids: ALICE }), row(30, { ppid: 10, uids: BOB }), sudo],
      own: [40, 30, 10],
    },
    {
      name: "not the child of an earlier process with a parent's id",
      rows: [sudo, row(20, { ppid: 10, start: 599 })],
      own: [10],
    },
    { name: "what bears sudo's mark with root's rights", rows: [row(20, { sudoUid: 1001 })], own: [20] },
    { name: "not the mark of another's sudo", rows: [row(20, { sudoUid: 1002 })] },
    { name: "not an account's own process that bears the mark", rows: [row(20, { sudoUid: 1001, uids: ALICE })] },
    {
      name: "not another account's process that bears the mark",
      rows: [row(20, { sudoUid: 1001, uids: BOB })],
    },
    {
      name: 'not what is older than the session, by no sign',
      rows: [row(20, { start: 499, sudoUid: 1001, cgroups: inGroup }), row(10, { ...sudo, start: 499 })],
    },
    { name: 'what was seen as a part of it', rows: [row(20)], known: '20 600', own: [20] },
    { name: 'not another process with the id of one that was seen', rows: [row(20, { start: 601 })], known: '20 600' },
    { name: "perhaps root's process by a logon of the account", rows: [row(20, { loginUid: 1001 })], doubtful: [20] },
    {
      name: 'perhaps what su has put into a logon of root that nobody logged in to',
      rows: [row(20, { cgroups: '0::/user.slice/user-0.slice/session-c2.scope\n' })],
      doubtful: [20],
    },
    {
      name: "perhaps another account's process by a logon of the account",
      rows: [row(20, { loginUid: 1001, uids: BOB })],
      doubtful: [20],
    },
    {
      name: "perhaps another account's in a logon that nobody logged in to, but not in one of their own",
      rows: [
        row(20, { uids: BOB, cgroups: '0::/user.slice/user-1002.slice/session-c4.scope\n' }),
        row(21, { uids: BOB, loginUid: 1002, cgroups: '0::/user.slice/user-1002.slice/session-c5.scope\n' }),
        row(22, { uids: ALICE, cgroups: '0::/user.slice/user-1001.slice/session-c6.scope\n' }),
      ],
      doubtful: [20],
    },
    { name: "not the account's process by its own logon", rows: [row(20, { loginUid: 1001, uids: ALICE })] },
    { name: "nothing of root's own", rows: [row(2, { loginUid: 0 }), row(3)] },
  ];
  for (const { name, rows, own = [], doubtful = [], known } of cases)
    it(`is ${name}`, () => {
      const found = sessionMembers(SESSION, rows, new Set(known === undefined ? [] : [known]), SUDO);
      assert.deepEqual(found.own.map(({ pid }) => pid).sort(), own.sort());
      assert.deepEqual(
        found.doubtful.map(({ pid }) => pid),
        doubtful,
      );
    });
});

describe('where a process came from, and what came from it', () => {
  const rows = [row(1, { ppid: 0, start: 0 }), row(10, { start: 500 }), row(20, { ppid: 10 }), row(30, { ppid: 20 })];

  for (const { name, pid, line } of [
    { name: 'all of its line', pid: 30, line: [30, 20, 10, 1] },
    { name: 'only itself', pid: 1, line: [1] },
    { name: 'nothing that is not there', pid: 99, line: [] },
  ])
    it(`is ${name}`, () => {
      assert.deepEqual(
        withAncestors(pid, rows).map((found) => found.pid),
        line,
      );
    });

  it("is no later process with its parent's id", () => {
    const line = withAncestors(20, [row(10, { start: 601 }), row(20, { ppid: 10 })]);
    assert.deepEqual(
      line.map(({ pid }) => pid),
      [20],
    );
  });

  it('is everything below, whatever it came from', () => {
    const keys = new Set([processKey(row(20)), processKey(row(10))]);
    const found = withDescendants(keys, [...rows, row(21, { ppid: 20, start: 700 }), row(40, { ppid: 1 })]);
    assert.deepEqual(
      found.map(({ pid }) => pid),
      [20, 30, 21],
    );
  });
});
