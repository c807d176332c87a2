import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { ControlPlane, startAgent } from '../support/control-plane.js';
import { DEVICE_BIN } from '../support/device-init.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface DeviceJson {
  readonly state: string;
  readonly online?: boolean;
  readonly accounts?: unknown[];
}

interface SessionJson {
  readonly id: string;
  readonly state: string;
  readonly endReason?: string;
  readonly endDetail?: string;
}

describeOn(['devices'], 'a device and a copy of it', function () {
  this.timeout(240_000);
  let plane: ControlPlane;
  let [original, copy] = [] as unknown as [Device, Device];
  let agents: DeviceProcess[];

  beforeEach(async () => {
    plane = await ControlPlane.start();
    [original, copy] = await Promise.all([Device.start({ name: 'web-1' }), Device.start({ name: 'web-1' })]);
    // The same account to the last detail, as on a cloned disk: only the identity's double use gives the copy away.
    const add = ['useradd', '-M', '-d', '/nonexistent', '-u', '1500', '-s', '/bin/bash', '--', 'alice'];
    for (const device of [original, copy]) await device.must(add);
    agents = [await plane.join(original)];
    await eventually(async () => (await shown()).accounts !== undefined, { withinMs: 60_000, what: 'accounts' });
    await plane.json('users', 'create', 'alice', '--role', 'user');
  });

  afterEach(async () => {
    await Promise.all([original.dispose(), copy.dispose()]);
    await plane.dispose();
  });

  /** Copies the state folder, and starts the second agent; its cable leads to the same server by another address. */
  async function startCopy(): Promise<DeviceProcess> {
    cpSync(`${original.root}/var/lib/curfew`, `${copy.root}/var/lib/curfew`, { recursive: true });
    const file = `${copy.root}/var/lib/curfew/identity.json`;
    const { hostAddress } = original.network;
    writeFileSync(file, readFileSync(file, 'utf8').replace(hostAddress, copy.network.hostAddress));
    return startAgent(copy);
  }
  const shown = () => plane.json<DeviceJson>('devices', 'show', 'web-1');
  const sessions = () => plane.json<SessionJson[]>('sessions', 'list', '--all');
  const mayBeRoot = async (device: Device): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })).exitCode === 0;
  const grant = () => {
    const wish = ['--user', 'alice', '--device', 'web-1', '--for', '30m', '--reason', 'why'];
    return plane.curfewctl('sessions', 'grant', ...wish, '--wait');
  };
  const linkEnds = (agent: DeviceProcess): number => agent.output.split('"code":"LINK_FENCED"').length - 1;

  it('are noticed; rights end on both, nothing is given until an operator has looked, then all is well', async () => {
    assert.equal((await grant()).exitCode, 0);
    assert.equal(await mayBeRoot(original), true);
    agents.push(await startCopy());
    await eventually(async () => (await shown()).state === 'DEVICE_STATE_IDENTITY_CONFLICT', {
      withinMs: 60_000,
      what: 'a conflict that is noticed',
    });
    const none = async (): Promise<boolean> => !(await mayBeRoot(original)) && !(await mayBeRoot(copy));
    await eventually(none, { withinMs: 60_000, what: 'no right on either' });
    const [session] = await sessions();
    assert.equal(session?.state, 'SESSION_STATE_ENDING', 'neither of two can say that the other has nothing');
    assert.equal(session.endReason, 'END_REASON_FAILED');
    assert.equal(session.endDetail, "two agents use this device's identity");

    const list = await plane.curfewctl('devices', 'list');
    assert.match(list.stdout, / identity_conflict /);
    const fields = await plane.curfewctl('devices', 'show', 'web-1');
    assert.match(fields.stdout, /curfewctl devices resolve-conflict web-1/);
    const refused = await grant();
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /two agents use the identity of 'web-1'.*\[DEVICE_IDENTITY_CONFLICT\]/);
    assert.equal((await sessions()).length, 1);

    await agents[1]!.stop();
    await copy.must([`${DEVICE_BIN}/curfew-agent`, 'uninstall']);
    const resolved = await plane.curfewctl('devices', 'resolve-conflict', 'web-1');
    assert.equal(resolved.exitCode, 0, resolved.stderr);
    const ended = async (): Promise<boolean> => (await sessions())[0]?.state === 'SESSION_STATE_ENDED';
    await eventually(ended, { withinMs: 60_000, what: 'an end that the device has confirmed' });
    assert.equal((await grant()).exitCode, 0);
    assert.equal(await mayBeRoot(original), true);
    assert.equal((await shown()).state, 'DEVICE_STATE_ENROLLED');
    const alarms = await plane.json<unknown[]>('audit', 'list', '--type', 'device.identity_conflict');
    assert.equal(alarms.length, 1);
  });

  it('let each other alone more and more while both run', async () => {
    agents.push(await startCopy());
    const ends = (): number => agents.reduce((sum, agent) => sum + linkEnds(agent), 0);
    await eventually(() => ends() >= 5, { withinMs: 90_000, everyMs: 100, what: 'five replaced links' });
    // Waits of 1, 2 and 4 s on one side at least: what took less would be a loop.
    const times = agents.flatMap((agent) =>
      [...agent.output.matchAll(/"code":"LINK_FENCED".*"timestamp":"([^"]+)"/g)].map(([, at]) => Date.parse(at ?? '')),
    );
    const [first, last] = [Math.min(...times), Math.max(...times)];
    assert.ok(last - first >= 4_000, `${times.length} replaced links in ${last - first} ms`);
  });
});
