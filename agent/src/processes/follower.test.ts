import { ManualClock, SECOND, silentLogger } from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FakeProcessTable } from '../ports/fake-process-table.js';
import { Follower } from './follower.js';
import { ProcessFolder, type ProcessReport } from './process-folder.js';

const SUDO = '/usr/bin/sudo';
const [FIRST, SECOND_ID] = [`ses-${'a'.repeat(20)}`, `ses-${'b'.repeat(20)}`];
const CALLED = { uids: [1001, 0, 0, 0], program: SUDO };

describe('a follower of processes', () => {
  let scratch: string;
  let folder: ProcessFolder;
  let table: FakeProcessTable;
  let clock: ManualClock;

  beforeEach(async () => {
    scratch = mkdtempSync(path.join(tmpdir(), 'curfew-follower-'));
    folder = new ProcessFolder(path.join(scratch, 'processes'));
    await folder.prepare();
    [table, clock] = [new FakeProcessTable(), new ManualClock()];
  });
  afterEach(() => {
    rmSync(scratch, { recursive: true, force: true });
  });

  const start = (): Follower =>
    new Follower({
      folder,
      table,
      cgroups: table,
      clock,
      logger: silentLogger,
      sudo: SUDO,
      spared: new Set([99]),
      looked: () => Promise.resolve(),
    });
  const begin = (sessionId = FIRST, uid = 1001, keep = false): Promise<void> =>
    folder.begin({ sessionId, uid, since: table.now, keep });
  const call = async (follower: Follower, pid: number, uid = 1001): Promise<boolean> => {
    const row = table.add(pid, { ...CALLED, uids: [uid, 0, 0, 0] });
    return (await follower.admit({ pid, start: row.start, uid }, () => true)).admitted;
  };
  /** Waits for the report of a session, while time goes on. */
  async function reported(sessionId: string): Promise<ProcessReport> {
    for (;;) {
      const report = (await folder.reports()).find((one) => one.sessionId === sessionId);
      if (report !== undefined) return report;
      clock.advance(SECOND);
    }
  }

  it('lets sudo go once it is in the control group of its session, and ends what it leaves', async () => {
    const follower = start();
    await begin();
    assert.equal(await call(follower, 10), true);
    assert.deepEqual(table.groups, ['placed 10']);
    table.add(20, { ppid: 10 });
    table.add(30, { uids: [1001, 1001, 1001, 1001] });
    table.add(31);
    await folder.end(FIRST);
    await follower.look();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 2, left: 0, leftNames: [] });
    assert.deepEqual(table.alive, [30, 31]);
    assert.deepEqual(await folder.notes(), []);
    assert.ok(!table.signals.some((signal) => /^3[01] /.test(signal)), table.signals.join());
  });

  it('kills what does not end by itself, sudo after what it runs, and says what cannot be ended', async () => {
    const follower = start();
    await begin();
    await call(follower, 10);
    table.add(10, { ...CALLED, cgroups: `0::/curfew-${FIRST}\n` }, 'deaf');
    table.add(20, { ppid: 10 }, 'deaf');
    table.add(21, { ppid: 10, name: 'in the disk' }, 'stuck');
    await folder.end(FIRST);
    await follower.look();
    const report = await reported(FIRST);
    assert.deepEqual(report, { sessionId: FIRST, ended: 2, left: 1, leftNames: ['in the disk'] });
    const kills = table.signals.filter((signal) => signal.endsWith('KILL'));
    assert.deepEqual(kills.slice(0, 2), ['20 SIGKILL', '21 SIGKILL']);
    assert.ok(table.groups.includes(`killed /curfew-${FIRST}`), table.groups.join());
  });

  it('only reports what a session leaves that is to keep it', async () => {
    const follower = start();
    await begin(FIRST, 1001, true);
    await call(follower, 10);
    table.add(20, { ppid: 10, name: 'nginx' });
    await folder.end(FIRST);
    await follower.look();
    const report = await reported(FIRST);
    assert.deepEqual(report, { sessionId: FIRST, ended: 0, left: 2, leftNames: ['name10', 'nginx'] });
    assert.deepEqual([table.alive, table.signals], [[10, 20], []]);
    assert.equal(await call(follower, 11), true, 'a latecomer is no matter of ours either');
  });

  it('does not touch the processes of a session that goes on, nor its own, nor what only might be of the session', async () => {
    const follower = start();
    await begin();
    await begin(SECOND_ID, 1002);
    await call(follower, 10);
    await call(follower, 50, 1002);
    table.add(51, { ppid: 50 });
    table.add(99, { sudoUid: 1001 });
    table.add(60, { loginUid: 1001, name: 'su' });
    await folder.end(FIRST);
    await follower.look();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 1, left: 1, leftNames: ['su'] });
    assert.deepEqual(table.alive, [50, 51, 99, 60]);
    assert.deepEqual(
      (await folder.notes()).map(({ sessionId }) => sessionId),
      [SECOND_ID],
    );
  });

  it('lets the call of sudo go on in which Curfew is taken off, and all that it runs', async () => {
    const follower = start();
    await begin();
    for (const pid of [10, 11]) await call(follower, pid);
    const own = [table.add(20, { ppid: 10, name: 'apt-get' }), table.add(21, { ppid: 20, name: 'prerm' })];
    table.add(22, { ppid: 20, name: 'tee' });
    table.add(30, { ppid: 11 }, 'stuck');
    // The shell above has not come from the session.
    await folder.exempt([...own, table.add(10, { ...CALLED, ppid: 5 }), { pid: 5, start: 1 }]);
    await folder.end(FIRST);
    await follower.look();
    const report = await reported(FIRST);
    assert.deepEqual(
      { ...report, leftNames: [...report.leftNames].sort() },
      { sessionId: FIRST, ended: 1, left: 5, leftNames: ['apt-get', 'name10', 'name30', 'prerm', 'tee'] },
    );
    assert.deepEqual(table.alive, [10, 20, 21, 22, 30]);
    assert.ok(!table.signals.some((signal) => /^(10|2.) /.test(signal)), table.signals.join());
    assert.ok(!table.groups.includes(`killed /curfew-${FIRST}`), 'it holds what goes on as well');
  });

  it('knows what is to go on when the folder is gone by the time that it looks', async () => {
    const follower = start();
    await begin();
    await call(follower, 10);
    await call(follower, 11);
    await folder.exempt([{ pid: 10, start: table.now }]);
    await follower.look();
    await folder.remove();
    const over = new AbortController();
    void follower.run().then(() => {
      over.abort();
    });
    while (!over.signal.aborted) {
      clock.advance(SECOND);
      await folder.sessions();
    }
    assert.deepEqual(table.alive, [10]);
  });

  it('kills a sudo that read the rule before it was gone, and lets those of strangers go', async () => {
    const follower = start();
    await begin();
    await follower.look();
    await folder.end(FIRST);
    assert.equal(await call(follower, 10), false);
    assert.equal(await call(follower, 11, 1002), true);
    assert.deepEqual(table.alive, [11]);
  });

  it('goes on from its notes when it is started anew, also with the end of a session that it missed', async () => {
    await begin();
    await begin(SECOND_ID, 1002);
    const first = start();
    await call(first, 10);
    await folder.end(FIRST);
    const second = start();
    const runs = second.run();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 1, left: 0, leftNames: [] });
    assert.ok(table.groups.includes(`removed /curfew-${FIRST}`), table.groups.join());
    assert.equal(await call(second, 50, 1002), true);
    await folder.remove();
    while (table.alive.length > 0) {
      clock.advance(SECOND);
      await folder.sessions();
    }
    clock.advance(SECOND);
    await runs;
  });

  it('ends what a session has left that began and ended while nobody looked, and reports each session once', async () => {
    await begin();
    table.add(10, CALLED);
    table.add(20, { ppid: 10 });
    await folder.end(FIRST);
    const follower = start();
    await follower.look();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 2, left: 0, leftNames: [] });
    assert.deepEqual([table.alive, await folder.newSessions()], [[], []]);
    await folder.dropReport(FIRST);
    await follower.look();
    clock.advance(SECOND);
    assert.deepEqual([await folder.notes(), await folder.reports()], [[], []]);
    // The same session, offered once more.
    table.now += 500;
    await begin();
    table.add(30, CALLED);
    await folder.end(FIRST);
    await follower.look();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 1, left: 0, leftNames: [] });
  });

  it('remembers where there are no control groups: what has lost its parent since is known', async () => {
    table.hasCgroups = false;
    const follower = start();
    await begin();
    await call(follower, 10);
    table.add(20, { ppid: 10 });
    table.add(21, { ppid: 20 });
    await follower.look();
    table.end(10);
    table.end(20);
    const orphan = table.add(21, { ppid: 1, start: 1000 });
    assert.equal(orphan.ppid, 1);
    await follower.look();
    await folder.end(FIRST);
    await follower.look();
    assert.deepEqual(await reported(FIRST), { sessionId: FIRST, ended: 1, left: 0, leftNames: [] });
    assert.deepEqual(table.alive, []);
  });

  it('begins a session where it began, however often it is given anew', async () => {
    await begin();
    table.now += 500;
    await begin();
    assert.equal((await folder.sessions())?.[0]?.since, 1000);
  });

  it('says of which session a sudo is, and what is to be recorded of it; and keeps that over a restart', async () => {
    const recording = { mode: 'output', required: true } as const;
    await folder.begin({ sessionId: FIRST, uid: 1001, since: table.now, keep: false, recording });
    const row = table.add(10, CALLED);
    const sudo = { pid: 10, start: row.start, uid: 1001 };
    const session = { sessionId: FIRST, uid: 1001, since: 1000, keep: false, recording };
    assert.deepEqual(await start().admit(sudo, () => true), { admitted: true, session });
    assert.deepEqual(
      (await folder.notes()).map((note) => note.recording),
      [recording],
    );
  });

  it('is told which commands are to end, as long as any are', async () => {
    const ids = [`rec-${'a'.repeat(20)}`, `rec-${'b'.repeat(20)}`];
    assert.deepEqual(await folder.cuts(), []);
    await folder.setCuts(ids);
    assert.deepEqual(await folder.cuts(), ids);
    await folder.setCuts([]);
    assert.deepEqual(await folder.cuts(), []);
  });
});
