import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { captureMoments, putMoment, type Moment } from '../support/ledger-moments.js';
import { describeOn } from '../support/machine-needs.js';
import { countCalls, sweep, watchRevoke, type CallCount } from '../support/point-sweep.js';
import { RevokeLane, type LedgerPoint } from '../support/revoke-lane.js';
import type { DeviceFloor } from '../support/scripted-device.js';
import { scratchFolder } from '../support/scratch.js';
import { startTestServer } from '../support/test-server.js';

/** What the caller and the linked device have seen. */
interface Seen {
  readonly answered: boolean;
  readonly floor: DeviceFloor;
}

/** A server process takes a second to start, so of the writes in a row only each so-many-th is one where it is killed. */
const WRITE_STEP = { '': 20, '-wal': 12, '-shm': 1 } as const;

describeOn([{ program: 'strace' }], 'a server that is killed in the middle of a bulk revoke', function () {
  // Every step has a limit of its own.
  this.timeout(600_000);
  const lanes: RevokeLane[] = [];
  let counts: CallCount[];

  before(async () => {
    await Promise.all([1, 2].map(async () => lanes.push(await RevokeLane.start())));
    // The first log also holds what was written when the server was set up, as no later one does.
    await watchRevoke(lanes[0]!, 'full');
    counts = countCalls(await watchRevoke(lanes[0]!, 'full'), lanes[0]!.plane.ledgerFile);
  });

  after(() => Promise.all(lanes.map((lane) => lane.close())));

  it('has answered nobody while something of the log was not on disk', async () => {
    // With a short log: one that is copied into the database is synced once more, before the answer leaves.
    const seen = await watchRevoke(lanes[0]!, 'short');
    let [unsynced, writes, answers] = [false, 0, 0];
    const log = `${lanes[0]!.plane.ledgerFile}-wal`;
    for (const { call, target } of seen) {
      if (target === log) {
        unsynced = call === 'pwrite64' || call === 'write';
        writes += Number(unsynced);
      } else if (target.startsWith('TCP')) {
        assert.equal(unsynced, false, 'an answer left before the log was on disk');
        answers++;
      }
    }
    assert.ok(writes > 10 && answers > 1, `${writes} writes, ${answers} answers`);
  });

  /** Starts a server on what a kill at a moment leaves, and lets the device come back to it. */
  async function tryMoment(lane: RevokeLane, moment: Moment<Seen>, data: string, name: string): Promise<boolean> {
    putMoment(moment, data);
    const server = await startTestServer({ CURFEW_DATA_DIR: data });
    try {
      const revoked = await lane.isRevokedBefore(server, join(data, 'ledger.db'), moment.seen.floor);
      if (moment.seen.answered) assert.ok(revoked, 'the revoke that was answered is in force');
      return revoked;
    } catch (error) {
      throw new Error(`killed after ${name}`, { cause: error });
    } finally {
      await server.close();
    }
  }

  it('leaves a ledger after each single call in which all is revoked or nothing, and all once it has answered', async () => {
    const lane = lanes[0]!;
    const { ledgerFile, pid } = lane.plane;
    await lane.arm();
    let answered = false;
    const work = (): Promise<void> => lane.revokeAndWait(() => (answered = true));
    const { folder, moments } = await captureMoments(pid, ledgerFile, work, () => ({ answered, floor: lane.floor }));
    const data = scratchFolder('moment');
    try {
      mkdirSync(data, { recursive: true });
      cpSync(join(lane.plane.folder, 'pki'), join(data, 'pki'), { recursive: true });
      const revoked: boolean[] = [];
      for (const [at, moment] of moments.entries())
        revoked.push(await tryMoment(lane, moment, data, `call ${at + 1} of ${moments.length}, ${moment.call}`));
      const first = revoked.indexOf(true);
      assert.deepEqual(
        revoked,
        [...revoked.keys()].map((at) => at >= first),
        'once in force it stays so',
      );
      assert.ok(first > 0 && moments.some((moment) => moment.seen.answered), 'moments before and after the revoke');
      assert.ok(moments.length >= counts.reduce((sum, { count }) => sum + count, 0) / 2, `${moments.length} moments`);
      console.log(`        ${moments.length} moments: ${first} before the revoke, ${moments.length - first} after`);
    } finally {
      rmSync(folder, { recursive: true });
      rmSync(data, { recursive: true });
      await lane.resume();
      await lane.isRevoked();
    }
  });

  /** Kills at one point. Gives whether the point was met. */
  async function kill(lane: RevokeLane, point: LedgerPoint): Promise<boolean> {
    const name = `${point.call} ${point.nth} of ledger.db${point.file}`;
    await lane.arm();
    const { struck, answer } = await lane.strike(point, 'SIGKILL');
    if (struck) assert.equal(lane.plane.end?.signal, 'SIGKILL', name);
    await lane.resume();
    const revoked = await lane.isRevoked();
    if (answer === '') assert.ok(revoked, `the revoke that was answered is in force after a kill at ${name}`);
    else assert.equal(answer, 'SERVER_UNREACHABLE', name);
    if (!struck) assert.equal(answer, '', name);
    if (!revoked) {
      await lane.revokeEverything();
      assert.ok(await lane.isRevoked(), name);
    }
    return struck;
  }

  for (const [file, call] of [
    ['-wal', 'fsync'],
    ['-wal', 'ftruncate'],
    ['-wal', 'pwrite64'],
    ['', 'fsync'],
    ['', 'pwrite64'],
  ] as const)
    it(`goes on after a SIGKILL at ${call} of ledger.db${file} as that ledger says`, async () => {
      const count = counts.find((one) => one.file === file && one.call === call)?.count ?? 0;
      const step = call === 'pwrite64' ? WRITE_STEP[file] : 1;
      const met = await sweep(lanes, { file, call }, step, kill);
      assert.ok(met > 0 && met >= Math.floor(count / step / 2), `${met} of ${count}`);
      console.log(`        killed at ${met} of ${count}`);
    });
});
