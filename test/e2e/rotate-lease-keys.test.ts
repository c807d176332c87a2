import { generateLeaseKey, leasePublicKey, leaseSigningKey, signLeaseKeySet, type LeaseKeySet } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlPlane, startAgent } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface SessionJson {
  readonly id: string;
  readonly state: string;
}

interface KeyFile extends LeaseKeySet {
  readonly signing: string;
  readonly chain: readonly { readonly version: number; readonly signed: string }[];
}

describeOn(['devices'], 'new keys for leases', function () {
  this.timeout(400_000);
  let plane: ControlPlane;
  let [first, second] = [] as unknown as [Device, Device];
  let agents: [DeviceProcess, DeviceProcess];

  before(async () => {
    plane = await ControlPlane.start();
    const users = [{ name: 'alice' }, { name: 'bob' }];
    [first, second] = await Promise.all([
      Device.start({ name: 'web-1', users }),
      Device.start({ name: 'web-2', users }),
    ]);
    agents = [await plane.join(first), await plane.join(second)];
    for (const { name } of users) await plane.json('users', 'create', name, '--role', 'user');
    for (const name of ['web-1', 'web-2'])
      await eventually(
        async () => (await plane.json<{ accounts?: unknown[] }>('devices', 'show', name)).accounts !== undefined,
        { withinMs: 60_000, what: `the accounts of ${name}` },
      );
  });
  after(async () => {
    await Promise.all([first.dispose(), second.dispose()]);
    await plane.dispose();
  });

  const grant = (user: string, device: string, ...more: string[]) => {
    const wish = ['--user', user, '--device', device, '--for', '30m', '--reason', 'why', ...more];
    return plane.curfewctl('sessions', 'grant', ...wish);
  };
  const mayBeRoot = async (device: Device, user: string): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: user })).exitCode === 0;
  const trusts = (device: Device): number => {
    const text = readFileSync(`${device.root}/var/lib/curfew/identity.json`, 'utf8');
    return (JSON.parse(text) as { leaseKeys: LeaseKeySet }).leaseKeys.version;
  };
  const rotate = () => plane.json<{ leaseKeySetVersion: string; sentTo?: number }>('server', 'rotate-lease-keys');

  it('reach linked devices at once, without an end to what is held', async () => {
    assert.equal((await grant('alice', 'web-1', '--wait')).exitCode, 0);
    assert.equal(await mayBeRoot(first, 'alice'), true);
    assert.deepEqual(await rotate(), { leaseKeySetVersion: '2', sentTo: 2 });
    await eventually(() => trusts(first) === 2 && trusts(second) === 2, { withinMs: 10_000, what: 'new keys' });
    assert.equal(await mayBeRoot(first, 'alice'), true);
    assert.equal((await grant('bob', 'web-1', '--wait')).exitCode, 0);
    assert.equal(await mayBeRoot(first, 'bob'), true);
    assert.equal((await plane.json<SessionJson[]>('sessions', 'list')).length, 2);
    const events = await plane.json<{ actor: string }[]>('audit', 'list', '--type', 'lease_keys.');
    assert.deepEqual(
      events.map(({ actor }) => actor.split(':')[0]),
      ['user', 'server'],
    );
  });

  it('reach a device that has missed several of them, one after the other', async () => {
    await agents[1].stop();
    await eventually(async () => (await plane.json<unknown[]>('devices', 'list', '--offline')).length === 1, {
      withinMs: 60_000,
    });
    assert.equal((await rotate()).sentTo, 1);
    assert.equal((await rotate()).leaseKeySetVersion, '4');
    assert.equal(trusts(second), 2);
    agents[1] = await startAgent(second);
    await eventually(() => trusts(second) === 4, { withinMs: 60_000, what: 'the newest keys' });
    assert.equal((await grant('alice', 'web-2', '--wait')).exitCode, 0);
    assert.equal(await mayBeRoot(second, 'alice'), true);
  });

  it('are kept over a restart of the server', async () => {
    await plane.stop();
    await plane.run();
    await eventually(async () => (await plane.json<unknown[]>('devices', 'list', '--online')).length === 2, {
      withinMs: 90_000,
    });
    assert.equal((await grant('bob', 'web-2', '--wait')).exitCode, 0);
    assert.equal(await mayBeRoot(second, 'bob'), true);
    assert.equal(await mayBeRoot(first, 'alice'), true);
  });

  it('of a stranger are refused: nothing is given, and the pinned ones stay', async () => {
    await plane.curfewctl('sessions', 'revoke', '--everything', '--reason', 'clean', '--wait');
    await plane.stop();
    const file = join(plane.folder, 'pki/lease-keys.json');
    const genuine = readFileSync(file, 'utf8');
    const own = JSON.parse(genuine) as KeyFile;
    const stranger = generateLeaseKey();
    const key = await leaseSigningKey(stranger);
    const next = { version: own.version + 1, keys: [await leasePublicKey(key)] };
    const chain = [...own.chain, { version: next.version, signed: await signLeaseKeySet(next, key) }];
    const signing = stranger.export({ type: 'pkcs8', format: 'pem' }) as string;
    writeFileSync(file, JSON.stringify({ ...next, signing, chain }));
    await plane.run();
    const refusals = (): number => agents[0].output.split('LEASE_SIGNATURE_INVALID').length - 1;
    await eventually(() => refusals() > 0, { withinMs: 90_000, what: 'a refused key set' });
    const before = refusals();
    assert.equal((await grant('alice', 'web-1')).exitCode, 0);
    await eventually(() => refusals() > before, { withinMs: 60_000, what: 'a refused lease' });
    assert.equal(await mayBeRoot(first, 'alice'), false);
    assert.equal(await first.must(['ls', '-A', '/run/curfew/sudoers.d']), '');
    assert.equal((await plane.json<SessionJson[]>('sessions', 'list'))[0]?.state, 'SESSION_STATE_STARTING');
    assert.deepEqual([trusts(first), trusts(second)], [4, 4]);

    await plane.stop();
    writeFileSync(file, genuine);
    await plane.run();
    await eventually(() => mayBeRoot(first, 'alice'), { withinMs: 90_000, what: 'a right under the genuine keys' });
  });
});
