import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { agreeingLedger, rewriteLedger } from '../support/ledger-file.js';
import { describeOn } from '../support/machine-needs.js';
import { sweep } from '../support/point-sweep.js';
import { RevokeLane, type LedgerPoint } from '../support/revoke-lane.js';
import { scratchFolder } from '../support/scratch.js';
import { runTool } from '../support/tool.js';

describeOn([{ program: 'strace' }], 'a server whose disk fails in the middle of a bulk revoke', function () {
  // Every step has a limit of its own.
  this.timeout(600_000);
  const lanes: RevokeLane[] = [];

  before(async () => {
    await Promise.all([1, 2].map(async () => lanes.push(await RevokeLane.start())));
  });

  after(() => Promise.all(lanes.map((lane) => lane.close())));

  /** Fails one call with EIO. Gives whether the point was met. */
  async function failOnce(lane: RevokeLane, point: LedgerPoint): Promise<boolean> {
    const name = `${point.call} ${point.nth} of ledger.db${point.file}`;
    await lane.arm();
    const { struck, answer } = await lane.strike(point, 'EIO');
    // The log that is cut too late is only longer than it had to be; nothing else that fails may be survived.
    if (struck && point.call !== 'ftruncate') {
      assert.deepEqual(lane.plane.end, { exitCode: 1, signal: null }, `the server has ended itself at ${name}`);
      assert.match(lane.plane.log, /the disk failed, so nothing can be promised any more/);
    } else assert.ok(lane.plane.isRunning && answer === '', name);
    await lane.resume();
    const revoked = await lane.isRevoked();
    if (answer === '') assert.ok(revoked, `the revoke that was answered is in force after a failed ${name}`);
    else assert.equal(answer, 'SERVER_UNREACHABLE', name);
    if (!revoked) {
      await lane.revokeEverything();
      assert.ok(await lane.isRevoked(), name);
    }
    return struck;
  }

  for (const [file, call, step] of [
    ['-wal', 'fsync', 1],
    ['', 'fsync', 1],
    ['-wal', 'ftruncate', 1],
    ['-wal', 'pwrite64', 12],
    ['', 'pwrite64', 20],
  ] as const)
    it(`ends itself at a failed ${call} of ledger.db${file}, answers nothing, and goes on as the ledger says`, async () => {
      const met = await sweep(lanes, { file, call }, step, failOnce);
      assert.ok(met > 0);
      console.log(`        failed at ${met} points`);
    });

  it('refuses, changes nothing and goes on when there is no room, wherever that begins', async () => {
    const pids = lanes.map((lane) => lane.plane.pid);
    const answers: Record<string, number> = {};
    const armed = new Set<RevokeLane>();
    const met = await sweep(lanes, { file: 'any', call: 'pwrite64', andAllAfter: true }, 2, async (lane, point) => {
      if (!armed.has(lane)) await lane.arm();
      armed.add(lane);
      const before = agreeingLedger(lane.plane.ledgerFile);
      const { struck, answer } = await lane.strike(point, 'ENOSPC');
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (answer !== '') {
        assert.equal(answer, 'STORAGE_FAILED', `write ${point.nth}`);
        assert.deepEqual(agreeingLedger(lane.plane.ledgerFile), before, 'nothing is changed');
        return struck;
      }
      armed.delete(lane);
      await lane.resume();
      assert.ok(await lane.isRevoked(), `answered, and no room from write ${point.nth} on`);
      return struck;
    });
    assert.deepEqual(
      lanes.map((lane) => lane.plane.pid),
      pids,
      'no server has ended',
    );
    assert.ok(answers['STORAGE_FAILED']! > 10 && answers['']! > 10, JSON.stringify(answers));
    console.log(`        no room from each of ${met} writes on: ${JSON.stringify(answers)}`);
    for (const lane of armed) {
      await lane.revokeEverything();
      await lane.resume();
      assert.ok(await lane.isRevoked(), 'with room again the same server revokes');
    }
  });
});

describeOn(['devices'], 'a server on a disk that is full', function () {
  this.timeout(180_000);
  let disk: string;
  let lane: RevokeLane;

  before(async () => {
    disk = scratchFolder('full');
    await runTool('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', disk]);
    mkdirSync(join(disk, 'data'));
    lane = await RevokeLane.start(join(disk, 'data'));
  });

  after(async () => {
    await lane.close();
    await runTool('umount', [disk]);
    rmSync(disk, { recursive: true });
  });

  /** Takes all the room that there is. */
  function fill(): void {
    const file = openSync(join(disk, 'filler'), 'w');
    try {
      for (const block of [Buffer.alloc(65_536), Buffer.alloc(4_096)])
        assert.throws(
          () => {
            for (;;) writeSync(file, block);
          },
          { code: 'ENOSPC' },
        );
    } finally {
      closeSync(file);
    }
  }

  it('refuses a revoke, still shows what there is, and revokes as soon as there is room', async () => {
    await lane.arm();
    const before = agreeingLedger(lane.plane.ledgerFile);
    // The next use of the token is one that the server wants to note.
    rewriteLedger(lane.plane.ledgerFile, (db) => db.exec('update api_token set last_used_at_ms = 0'));
    fill();
    await assert.rejects(lane.revokeEverything(), { code: 'STORAGE_FAILED', message: /database or disk is full/ });
    assert.equal(await lane.liveCount(), 3);
    assert.deepEqual(agreeingLedger(lane.plane.ledgerFile), before);
    const { pid } = lane.plane;
    rmSync(join(disk, 'filler'));
    await lane.revokeAndWait();
    await lane.resume();
    assert.ok(await lane.isRevoked());
    assert.equal(lane.plane.pid, pid);
  });

  it('does not start without room, and goes on from what it had as soon as there is some', async () => {
    await lane.arm();
    await lane.plane.stop('SIGKILL');
    fill();
    await assert.rejects(lane.plane.run(), /curfew-server: database or disk is full/);
    rmSync(join(disk, 'filler'));
    await lane.resume();
    assert.equal(await lane.isRevoked(), false);
    await lane.revokeEverything();
    assert.ok(await lane.isRevoked());
  });
});
