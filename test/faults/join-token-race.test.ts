import { CreateJoinTokenRequest, DeviceServiceService } from '@curfew/proto';
import type { ServiceError } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlPlane } from '../support/control-plane.js';
import { readLedger } from '../support/ledger-file.js';
import { OperatorClient } from '../support/operator-client.js';
import { scratchFolder } from '../support/scratch.js';
import { redeemJoinToken, type JoinedServer } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';

const UNLOCKED = fileURLToPath(new URL('../support/unlocked-server.js', import.meta.url));

interface UnlockedServer extends JoinedServer {
  readonly ownerToken: string;
  readonly process: ChildProcess;
}

/** What came of redemptions: the devices that were made, as their callers know, and why the others were refused. */
interface Race {
  readonly devices: string[];
  readonly refusals: Record<string, number>;
}

describe('a join token that many redeem at once, at two servers on one ledger', function () {
  this.timeout(180_000);
  let folder: string;
  let servers: UnlockedServer[];
  let operator: OperatorClient;

  async function startUnlocked(): Promise<UnlockedServer> {
    const env = {
      PATH: process.env['PATH'] ?? '',
      CURFEW_DATA_DIR: folder,
      CURFEW_GRPC_PORT: '0',
      CURFEW_HTTP_PORT: '0',
    };
    const child = spawn(process.execPath, [UNLOCKED], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(() => output.endsWith('\n'), { withinMs: 120_000, what: 'a server that is ready' });
    return { ...(JSON.parse(output) as JoinedServer & { ownerToken: string }), process: child };
  }

  async function kill(server: UnlockedServer): Promise<void> {
    if (server.process.signalCode !== null) return;
    server.process.kill('SIGKILL');
    await once(server.process, 'exit');
  }

  before(async () => {
    folder = scratchFolder('race');
    servers = [await startUnlocked()];
    servers.push(await startUnlocked());
    operator = new OperatorClient(servers[0]!);
  });

  after(async () => {
    operator.close();
    await Promise.all(servers.map(kill));
    rmSync(folder, { recursive: true });
  });

  const joinToken = async (uses: number): Promise<{ readonly id: string; readonly secret: string }> => {
    const made = await operator.call(
      DeviceServiceService.createJoinToken,
      CreateJoinTokenRequest.fromPartial({ uses }),
    );
    return { id: made.joinToken?.id ?? '', secret: made.secret };
  };

  /** 64 redemptions, every other one at each server, so many at a time. */
  async function race(secret: string, atATime = 64, onDevice: () => unknown = () => undefined): Promise<Race> {
    const outcome: Race = { devices: [], refusals: {} };
    const redeem = async (at: number): Promise<void> => {
      try {
        const { identity } = await redeemJoinToken(servers[at % 2]!, secret, `host-${at}`);
        outcome.devices.push(identity.deviceId);
        onDevice();
      } catch (error) {
        const { metadata, code } = error as ServiceError;
        const why = String(metadata.get('curfew-error-code')[0] ?? `gRPC status ${code}`);
        outcome.refusals[why] = (outcome.refusals[why] ?? 0) + 1;
      }
    };
    const waiting = Array.from({ length: 64 }, (_, at) => at);
    const lane = async (): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await redeem(at);
    };
    await Promise.all(Array.from({ length: atATime }, lane));
    return outcome;
  }

  /** The devices that the ledger has of a token, and how many uses are left; each device is whole. */
  function ledgerSays(tokenId: string): { readonly devices: string[]; readonly usesLeft: number } {
    return readLedger(join(folder, 'ledger.db'), (db) => {
      const records = db
        .prepare(`select record from audit_event where type = 'device.enrolled'`)
        .pluck()
        .all() as Buffer[];
      const enrolled = records.map(
        (record) => JSON.parse(record.toString()) as { subject: string; data: { joinToken: string } },
      );
      const all = db.prepare('select id from device').pluck().all() as string[];
      assert.deepEqual(enrolled.map(({ subject }) => subject).sort(), all.sort(), 'one audit event for each device');
      const usesLeft = db.prepare('select uses_left from join_token where id = ?').pluck().get(tokenId) as number;
      const devices = enrolled.filter(({ data }) => data.joinToken === tokenId).map(({ subject }) => subject);
      return { devices, usesLeft };
    });
  }

  for (const uses of [1, 5])
    it(`makes exactly as many devices as it has uses: ${uses} of 64`, async () => {
      const { id, secret } = await joinToken(uses);
      const { devices, refusals } = await race(secret);
      assert.equal(devices.length, uses);
      assert.deepEqual(refusals, { JOIN_TOKEN_INVALID: 64 - uses });
      assert.deepEqual(
        { ...ledgerSays(id), devices: ledgerSays(id).devices.sort() },
        { devices: devices.sort(), usesLeft: 0 },
      );
    });

  it('burns one use for each whole device and no more when one of the servers is killed meanwhile', async () => {
    const uses = 40;
    const { id, secret } = await joinToken(uses);
    let killed: Promise<void> | undefined;
    // Few enough at a time that the kill strikes with most of them still to come.
    const { devices, refusals } = await race(secret, 16, () => (killed ??= kill(servers[1]!)));
    await killed;
    const told = ledgerSays(id);
    assert.equal(told.devices.length, uses - told.usesLeft, 'a use for each device');
    assert.ok(devices.length > 0 && devices.every((device) => told.devices.includes(device)), 'no device is made up');
    assert.ok(
      (refusals['gRPC status 14'] ?? 0) > 0,
      `the killed server was in the middle: ${JSON.stringify(refusals)}`,
    );
    // What is left can still be redeemed, and not one use more.
    servers[1] = await startUnlocked();
    const rest = await race(secret);
    assert.equal(rest.devices.length, told.usesLeft);
    assert.deepEqual(rest.refusals, { JOIN_TOKEN_INVALID: 64 - told.usesLeft });
  });
});

describe('a second server on a ledger that is in use', function () {
  this.timeout(180_000);
  let plane: ControlPlane;

  before(async () => {
    plane = await ControlPlane.start();
  });
  after(() => plane.dispose());

  it('is refused, and the first goes on', async () => {
    const second = await plane.curfewServer('serve');
    assert.equal(second.exitCode, 1);
    assert.match(
      second.stderr,
      /^curfew-server: the ledger in \S+ is in use by another process; stop the server first \[LEDGER_IN_USE\]\n$/,
    );
    assert.equal((await plane.curfewctl('whoami')).exitCode, 0);
  });

  it('starts as soon as the first is gone, however that ended', async () => {
    const waiting = ControlPlane.start({ CURFEW_GRPC_PORT: '0' }, plane.folder);
    await plane.stop('SIGKILL');
    const second = await waiting;
    assert.ok(second.isRunning);
    await second.stop();
  });
});
