import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ControlPlane, curfew, startAgent } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { assertSame, DeviceTerminal } from '../support/device-terminal.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Recording {
  readonly id: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly state: string;
  readonly exitStatus?: number;
  readonly size?: string;
  readonly lostBytes?: string;
}

const SOON = { withinMs: 60_000, everyMs: 200 };
/** How long the server is away; an hour is CURFEW_AWAY_MINUTES=60. */
const AWAY_MINUTES = Number(process.env['CURFEW_AWAY_MINUTES'] ?? '0.05');
const POLICY =
  'policies: [{name: recorded, effect: allow, recording: {mode: output, required: true}, auto_approval: {}}]\n';

describeOn(['devices'], 'a recording, from the terminal of a device to the operator', function () {
  this.timeout(240_000 + AWAY_MINUTES * 60_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;
  let session: string;

  before(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }], cgroups: 2 });
    await plane.json('users', 'create', 'alice', '--role', 'user');
    agent = await plane.join(device);
    await eventually(async () => (await device.must(['cat', '/proc/net/tcp'])).includes(':0266 '), SOON);
    await device.must(['tee', '/tmp/policies.yaml'], { stdin: POLICY });
    await plane.json('policies', 'apply', '--yes', '--prune', '--file', `${device.root}/tmp/policies.yaml`);
    const asked = await curfew(device, 'alice', 'request', '--for', '3h', '--reason', 'to work');
    assert.equal(asked.exitCode, 0, asked.stderr);
    const started = await curfew(device, 'alice', 'start');
    assert.equal(started.exitCode, 0, started.stderr);
    session = (await plane.json<{ id: string }[]>('sessions', 'list'))[0]?.id ?? '';
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
  });

  const recordings = (): Promise<Recording[]> => plane.json('sessions', 'recordings', session);
  const terminal = (command: string): DeviceTerminal => DeviceTerminal.open(device, 'alice', command);
  /** The so-many-th recording, once it is over and the server has all of it; or while it runs. */
  const nth = async (number: number, isOver = true): Promise<Recording> =>
    eventually(
      async () => {
        const last = (await recordings())[number - 1];
        return last !== undefined && (last.state !== 'RECORDING_STATE_RUNNING') === isOver && last;
      },
      { ...SOON, what: 'a recording' },
    );
  /** What an operator gets of a recording, byte for byte. */
  async function replayed(id: string): Promise<Buffer> {
    const file = join(plane.folder, `${id}.raw`);
    const done = await plane.curfewctl('sessions', 'replay', id, '--raw', file);
    assert.equal(done.exitCode, 0, done.stderr);
    return readFileSync(file);
  }
  const deviceHasNone = (): Promise<unknown> =>
    eventually(async () => (await device.must(['ls', '/var/lib/curfew/recordings'])) === '', {
      ...SOON,
      what: 'a device that keeps nothing any more',
    });

  it('is 10 MB of a root shell, byte for byte, and gone from the device then', async () => {
    const shell = terminal(`sudo -n -i sh -c 'yes 0123456789abcdef | head -c 10000000; exit 7'`);
    assert.equal(await shell.exitCode(), 7);
    const recording = await nth(1);
    assert.deepEqual([recording.state, recording.exitStatus], ['RECORDING_STATE_COMPLETE', 7]);
    assertSame(await replayed(recording.id), shell.shown());
    assert.ok(shell.shown().length > 10_000_000);
    await deviceHasNone();
    const sealed = readFileSync(join(plane.folder, 'recordings.db'));
    assert.ok(statSync(join(plane.folder, 'recordings.db')).size > 0 && !sealed.includes('0123456789abcdef'));
  });

  it('waits on the device while the server is away, and is brought when it is back, the agent killed meanwhile', async () => {
    const shell = terminal(`sudo -n bash -c 'for n in 1 2 3; do echo line $n; read -r _; done'`);
    await shell.process.waitFor(/line 1/);
    await plane.stop();
    shell.process.write('\r');
    await shell.process.waitFor(/line 2/);
    await agent.stop('SIGKILL');
    shell.process.write('\r');
    await shell.process.waitFor(/line 3/);
    shell.process.write('\r');
    assert.equal(await shell.exitCode(), 0);
    agent = await startAgent(device);
    await plane.run();
    const recording = await nth(2);
    assertSame(await replayed(recording.id), shell.shown());
    await deviceHasNone();
  });

  it(`is every second of a server that is away for ${String(AWAY_MINUTES)} minutes, byte for byte`, async () => {
    const seconds = Math.round(AWAY_MINUTES * 60);
    const shell = terminal(
      `sudo -n bash -c 'echo ready; read -r _; for n in $(seq ${String(seconds)}); do date; seq 500; sleep 1; done; exit 5'`,
    );
    await shell.process.waitFor(/ready/);
    await plane.stop();
    shell.process.write('\r');
    assert.equal(await shell.exitCode(), 5);
    await plane.run();
    const recording = await nth(3);
    assert.deepEqual([recording.exitStatus, recording.lostBytes], [5, undefined]);
    assertSame(await replayed(recording.id), shell.shown());
    await deviceHasNone();
  });

  it('is seen while it goes on, and can be cut without ending the session; who looked is on record', async () => {
    const shell = terminal(`sudo -n bash -c 'echo ready; sleep 1000'`);
    await shell.process.waitFor(/ready/);
    const running = await nth(4, false);
    const watched = plane.curfewctl('sessions', 'replay', running.id, '--text');
    const cut = await plane.curfewctl('sessions', 'cut', running.id);
    assert.equal(cut.exitCode, 0, cut.stderr);
    assert.notEqual(await shell.exitCode(), 0);
    assert.match((await watched).stdout, /ready/);
    const over = await nth(4);
    assert.equal(over.id, running.id);
    assert.equal((await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).stdout, '0\n');
    const looked = await plane.json<{ type: string; subject: string }[]>('audit', 'list', '--type', 'recording.');
    assert.ok(looked.some(({ type, subject }) => type === 'recording.watched' && subject === running.id));
    assert.ok(looked.some(({ type, subject }) => type === 'recording.cut' && subject === running.id));
  });
});
