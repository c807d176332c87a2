import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CommandStage } from '../support/command-stage.js';
import { ControlPlane, curfew, curfewJson } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { scratchFolder } from '../support/scratch.js';
import { eventually } from '../support/wait.js';
import { personOf } from '../support/connector-parts.js';

const POLICIES = `policies:
  - name: ops
    effect: allow
    resource: { names: [ops] }
    max_duration: 2h
    default_duration: 45m
  - name: docker
    effect: allow
    resource: { names: [docker] }
    auto_approval: {}
  - name: admin
    effect: allow
    device: {}
`;

interface Offer {
  readonly resourceName: string;
  readonly request?: { readonly id: string };
  readonly session?: { readonly id: string; readonly state: string };
}

describeOn(['systemd devices'], 'resources on a real device', function () {
  this.timeout(400_000);
  const alice = personOf('alice');
  let stage: CommandStage;
  let plane: ControlPlane;
  let device: Device;
  let files: string;

  before(async () => {
    stage = new CommandStage();
    files = scratchFolder('resources');
    const options = { CURFEW_TIMED_ACCESS_COMMAND_FOLDER: stage.programs, CURFEW_ACCOUNTS_LINK: 'manual' };
    plane = await ControlPlane.start(options);
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }, { name: 'bob' }], init: 'systemd' });
    await device.must(['groupadd', 'docker']);
    await plane.join(device);
    await plane.json('users', 'create', 'alice', '--role', 'user');
    await eventually(async () => (await plane.json<{ accounts?: unknown[] }>('devices', 'show', 'web-1')).accounts, {
      withinMs: 60_000,
    });
    await plane.json('users', 'link', 'alice', '--device', 'web-1', '--account', 'alice');
    const program = path.join(stage.programs, 'members.mjs');
    writeFileSync(
      path.join(files, 'resources.yaml'),
      JSON.stringify({
        connectors: [
          { name: 'program', kind: 'command', settings: { program, variables: `CONNECTOR_HOME=${stage.home}` } },
        ],
        resources: [
          { name: 'ops', description: 'restart production', connector: 'program', target: { resource: 'ops' } },
          { name: 'docker', connector: 'device_group', target: { device: 'web-1', group: 'docker' } },
        ],
      }),
    );
    writeFileSync(path.join(files, 'policies.yaml'), POLICIES);
    for (const apply of [
      ['resources', 'apply', '-f', path.join(files, 'resources.yaml')],
      ['policies', 'apply', '--yes', '-f', path.join(files, 'policies.yaml')],
    ]) {
      const applied = await plane.curfewctl(...apply);
      assert.equal(applied.exitCode, 0, applied.stderr);
    }
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
    await stage.close();
    rmSync(files, { recursive: true });
  });

  const offers = async (): Promise<Map<string, Offer>> =>
    new Map((await curfewJson<Offer[]>(device, 'alice', 'resources', 'list')).map((one) => [one.resourceName, one]));
  const inDocker = async (): Promise<boolean> =>
    (await device.must(['id', '-nG', 'alice'])).split(' ').includes('docker');

  it('are listed, asked for, approved, given, and given back', async () => {
    const list = await curfew(device, 'alice', 'resources', 'list');
    assert.equal(list.exitCode, 0, list.stderr);
    assert.match(list.stdout, /\ndocker +- .*nobody: approved by itself/);
    assert.match(list.stdout, /\nops +- +45m +2h +any approver +--reason +restart production\n/);

    const ask = ['resources', 'request', 'ops', '--reason', 'incident 7'];
    const long = await curfew(device, 'alice', ...ask, '--for', '3h');
    assert.equal(long.exitCode, 1, long.stdout);
    assert.match(long.stderr, /\[DURATION_TOO_LONG\]/);
    const waiting = device.spawn(['curfew', ...ask, '--for', '1h', '--wait'], { as: 'alice' });
    const id = await eventually(async () => (await offers()).get('ops')?.request?.id, { withinMs: 30_000 });
    assert.equal(await stage.truth(alice), false);
    assert.match((await curfew(device, 'alice', 'status')).stdout, /request \S+: ops, for 1h, waiting for an approver/);
    await plane.json('requests', 'approve', id);
    const { exitCode } = await waiting.ended;
    assert.equal(exitCode, 0, waiting.output);
    assert.match(waiting.stdout, /^session \S+: ops, active as alice, (1h|59m\d+s) left, until/);
    assert.equal(await stage.truth(alice), true);

    assert.equal((await offers()).get('ops')?.session?.state, 'SESSION_STATE_ACTIVE');
    const status = await curfew(device, 'alice', 'status');
    assert.match(status.stdout, /you have no admin rights now\n.*\nsession \S+: ops, active as alice, /);
    const end = await curfew(device, 'alice', 'resources', 'end', 'ops', '--wait');
    assert.equal(end.exitCode, 0, end.stderr);
    assert.match(end.stdout, /: ops, ended .*, given back by you\n$/);
    assert.equal(await stage.truth(alice), false);
    assert.equal((await offers()).get('ops')?.session, undefined);
  });

  it('are a group of the device itself, too, and end by the id that the status shows', async () => {
    assert.equal(await inDocker(), false);
    const given = await curfew(device, 'alice', 'resources', 'request', 'docker', '--reason', 'look', '--wait');
    assert.equal(given.exitCode, 0, given.stderr);
    assert.equal(await inDocker(), true);
    const { session } = (await offers()).get('docker') ?? {};
    const status = await curfew(device, 'alice', 'status');
    assert.equal(status.stdout.match(new RegExp(`session ${session?.id.slice(0, 12)}`, 'g'))?.length, 1, status.stdout);
    const end = await curfew(device, 'alice', 'end', session?.id ?? '');
    assert.equal(end.exitCode, 0, end.stderr);
    assert.equal(await inDocker(), false);
  });

  it('are withdrawn and given back by their ids, and only by whose they are', async () => {
    const asked = await curfewJson<{ id: string }>(device, 'alice', 'resources', 'request', 'ops', '--reason', 'look');
    for (const command of ['cancel', 'end']) {
      const others = await curfew(
        device,
        'bob',
        command,
        asked.id.replace('req-', command === 'end' ? 'ses-' : 'req-'),
      );
      assert.equal(others.exitCode, 1, others.stdout);
      assert.match(others.stderr, /\[(REQUEST|SESSION)_NOT_FOUND\]/);
    }
    assert.equal((await offers()).get('ops')?.request?.id, asked.id);
    assert.equal((await curfew(device, 'alice', 'cancel', asked.id)).exitCode, 0);
    assert.equal((await offers()).get('ops')?.request, undefined);

    const grant = ['--user', 'alice', '--resource', 'ops', '--for', '30m', '--reason', 'a look'];
    const session = await plane.json<{ id: string }>('sessions', 'grant', ...grant);
    await eventually(() => stage.truth(alice), { withinMs: 60_000 });
    const others = await curfew(device, 'bob', 'end', session.id);
    assert.equal(others.exitCode, 1, others.stdout);
    assert.equal(await stage.truth(alice), true);
    const end = await curfew(device, 'alice', 'end', session.id.slice(0, 12));
    assert.equal(end.exitCode, 0, end.stderr);
    assert.match(end.stdout, /: ops, ending, given back by you/);
    await eventually(async () => !(await stage.truth(alice)), { withinMs: 60_000 });
  });

  it('are refused to an account that no user has', async () => {
    for (const args of [['list'], ['request', 'ops', '--for', '1h', '--reason', 'x']]) {
      const refused = await curfew(device, 'bob', 'resources', ...args);
      assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
      assert.match(refused.stderr, /no user is linked to it; ask an operator to link it \[ACCOUNT_INELIGIBLE\]/);
    }
    const status = await curfew(device, 'bob', 'status');
    assert.equal(status.exitCode, 0, status.stderr);
    assert.doesNotMatch(status.stdout, /resource/);
  });

  it('are known to the server only: while it is away everything says so, and the rest works', async () => {
    await plane.stop('SIGKILL');
    await eventually(
      async () => (await curfew(device, 'alice', 'status')).stdout.includes('of resources is known to the server only'),
      { withinMs: 60_000, what: 'a device that knows that the server is away' },
    );
    for (const args of [['list'], ['request', 'ops', '--for', '1h', '--reason', 'x'], ['end', 'ops']]) {
      const refused = await curfew(device, 'alice', 'resources', ...args);
      assert.deepEqual([refused.exitCode, refused.stdout], [5, ''], args.join(' '));
      assert.match(refused.stderr, /cannot reach the server .*\[SERVER_UNREACHABLE\]\n.*try again later/);
    }
    await plane.run();
    await eventually(async () => (await curfew(device, 'alice', 'resources', 'list')).exitCode === 0, {
      withinMs: 60_000,
      what: 'a server that is back',
    });
  });
});
