import assert from 'node:assert/strict';
import { openCheckpoint, verifyConsistency } from '@curfew/shared';
import { sql } from 'kysely';
import { rmSync } from 'node:fs';
import { runCli } from '../support/run-cli.js';
import { scratchFolder } from '../support/scratch.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { startTestServer, type TestServer } from '../support/test-server.js';
import { eventually } from '../support/wait.js';

describe('devices as witnesses of the audit log', function () {
  this.timeout(120_000);
  let server: TestServer;
  let device: ScriptedDevice;
  let home: string;
  let joinToken: () => Promise<string>;

  before(async () => {
    server = await startTestServer();
    home = scratchFolder('home');
    const env = {
      HOME: home,
      CURFEW_SERVER: server.address,
      CURFEW_TOKEN: server.ownerToken,
      CURFEW_CA: server.running.caFile,
    };
    joinToken = async () => {
      const made = await runCli('curfewctl', ['devices', 'join-token', 'create', '-o', 'json'], env);
      assert.equal(made.code, 0, made.err);
      return (JSON.parse(made.out) as { secret: string }).secret;
    };
    device = await ScriptedDevice.enroll(server, await joinToken(), 'web-1', ['alice']);
  });

  after(async () => {
    device.close();
    await server.close();
    rmSync(home, { recursive: true, force: true });
  });

  const received = (count: number): Promise<true> =>
    eventually(() => device.checkpoints.length >= count, { withinMs: 20_000, what: `${count} checkpoints` });

  it('get proofs that start from what they have, on one link and over a new one, and nothing twice', async () => {
    await received(1);
    for (let count = 2; count <= 4; count++) {
      await joinToken();
      await Promise.all([server.running.sweep(), server.running.sweep()]);
      await received(count);
    }
    await server.running.sweep();
    device.goOffline();
    await joinToken();
    await device.goOnline();
    await received(5);
    await joinToken();
    await server.running.sweep();
    await received(6);

    const opened = device.checkpoints.map(({ checkpoint }) => {
      const tree = openCheckpoint(checkpoint?.note ?? '', device.auditKey);
      assert.ok(tree, 'a checkpoint under the pinned key');
      return tree;
    });
    assert.equal(opened.length, 6);
    for (const [index, now] of opened.entries()) {
      const old = opened[index - 1];
      if (old === undefined) continue;
      assert.ok(now.size > old.size, `${old.size} → ${now.size}`);
      assert.ok(verifyConsistency(old, now, device.checkpoints[index]!.consistencyProof), `proof ${index}`);
    }
  });

  it('are believed in what they say against the log only with a checkpoint that it has lost', async () => {
    const { ledger } = server.running;
    const told = (): Promise<string[]> =>
      ledger.read(async (db) => {
        const events = await db
          .selectFrom('audit_event')
          .select('type')
          .where('type', 'like', 'ledger.roll%')
          .execute();
        return events.map(({ type }) => type);
      });
    const isSaid = (type: string): Promise<true> =>
      eventually(async () => (await told()).includes(type), { withinMs: 20_000, what: type });
    const kept = device.checkpoints.at(-1)?.checkpoint?.note ?? '';
    device.refuseLog(kept);
    await isSaid('ledger.rollback_claimed');
    device.refuseLog('');
    await joinToken();
    assert.deepEqual(await told(), ['ledger.rollback_claimed']);

    await ledger.write(async ({ db }) => {
      await sql.raw(`drop trigger audit_checkpoint_is_append_only_delete`).execute(db);
      await db.deleteFrom('audit_checkpoint').where('note', '=', kept).execute();
    });
    device.refuseLog(kept);
    await isSaid('ledger.rollback_detected');
  });
});
