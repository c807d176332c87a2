import { generateLeaseKey, releaseSigningKey } from '@curfew/shared';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ENV } from '../support/agent-env.js';
import { AgentReleases } from '../support/agent-releases.js';
import { ControlPlane } from '../support/control-plane.js';
import { describeOn } from '../support/machine-needs.js';
import { PackagedDevice } from '../support/packaged-device.js';
import { BuiltPackages } from '../support/packages.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly expireTime: string;
}
interface Change {
  readonly kind: string;
  readonly subject: string;
}
interface Rollout {
  readonly state: string;
  readonly reason?: string;
  readonly chosenDevices?: number;
  readonly currentDevices?: number;
}
interface Update {
  readonly state?: string;
  readonly version?: string;
  readonly code?: string;
  readonly detail?: string;
}

const NEEDS = ['systemd devices', { program: 'mmdebstrap' }, { program: 'dpkg-deb' }] as const;
const SOON = { withinMs: 150_000, everyMs: 200 };
const VERSIONS = '/var/lib/curfew/versions';

describeOn(NEEDS, 'an agent that is updated from the server', function () {
  // Every step has a limit of its own, the making of packages and of a fresh system among them.
  this.timeout(900_000);
  const packages = new BuiltPackages();
  let releases: AgentReleases;
  let plane: ControlPlane;
  let device: PackagedDevice;
  let live: Session;

  before(async () => {
    releases = await AgentReleases.create();
    const { keyFile } = releases;
    const first = await packages.make({ format: 'deb', program: 'agent', version: '0.1.0', keyFile });
    plane = await ControlPlane.start({ CURFEW_DEVICES_UNINSTALL_APPROVAL: 'true' });
    device = await PackagedDevice.start('fresh-3', [{ name: 'alice' }]);
    await device.install(first, await device.joinEnv(plane));
    await setPatience(60);
    await device.device.must(['systemctl', 'restart', 'curfew-agent.service']);
    await device.untilLinked();
    await plane.untilReported('fresh-3', 'alice');
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
    packages.dispose();
    releases.dispose();
  });

  const setPatience = (seconds: number): Promise<string> =>
    device.device.must(['tee', '/etc/curfew/agent.env'], {
      stdin: `CURFEW_UPDATE_PROOF=2\nCURFEW_UPDATE_PATIENCE=${seconds}\n`,
    });
  const shown = (): Promise<{ update?: Update; facts: { agentVersion: string }; online?: boolean }> =>
    plane.json('devices', 'show', 'fresh-3');
  const rollout = (): Promise<Rollout> => plane.json('rollouts', 'status');
  const agentPid = (): Promise<string> =>
    device.device.must(['systemctl', 'show', '--value', '--property=MainPID', 'curfew-agent.service']);
  const versions = (): string[] => readdirSync(join(device.device.root, VERSIONS)).filter((name) => /^\d/.test(name));

  /** Offers a release to everybody, and waits for what becomes of it. */
  async function offer(file: string, version: string, state: string): Promise<Update> {
    await plane.json('releases', 'add', file);
    await plane.json('rollouts', 'start', version, '--percent', '100');
    return until(version, state);
  }
  async function until(version: string, state: string): Promise<Update> {
    let update: Update | undefined;
    await eventually(
      async () => {
        ({ update } = await shown());
        return update?.version === version && update.state === `UPDATE_STATE_${state}`;
      },
      { ...SOON, what: `${version} ${state}` },
    ).catch(async (cause: unknown) => {
      const log = await device.device.run(['journalctl', '--no-pager', '-u', 'curfew-agent', '-n', '60']);
      throw new Error(`${JSON.stringify(update)}\n${log.stdout}`, { cause });
    });
    return update ?? {};
  }
  /** The session goes on as it was given. */
  async function sessionGoesOn(): Promise<void> {
    assert.equal(await device.mayBeRoot('alice'), true);
    const { state, expireTime } = await plane.json<Session>('sessions', 'show', live.id);
    assert.deepEqual({ state, expireTime }, { state: 'SESSION_STATE_ACTIVE', expireTime: live.expireTime });
  }

  it('takes a release in mid-session, which is neither lost nor lengthened', async () => {
    const asked = await device.device.run(['curfew', 'request', '--for', '1h', '--reason', 'work'], { as: 'alice' });
    assert.equal(asked.exitCode, 0, asked.stderr);
    const [request] = await plane.json<{ id: string }[]>('requests', 'list');
    await plane.json('requests', 'approve', request?.id ?? '');
    assert.equal((await device.device.run(['curfew', 'start'], { as: 'alice' })).exitCode, 0);
    live = (await plane.json<Session[]>('sessions', 'list'))[0]!;

    const wish = { format: 'release', program: 'agent', version: '0.2.0', keyFile: releases.keyFile } as const;
    await offer(await packages.make(wish), '0.2.0', 'INSTALLED');
    assert.equal((await shown()).facts.agentVersion, '0.2.0');
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.2.0');
    await sessionGoesOn();
    const { state, chosenDevices, currentDevices } = await rollout();
    assert.deepEqual([state, chosenDevices, currentDevices], ['ROLLOUT_STATE_RUNNING', 1, 1]);
    assert.deepEqual(versions(), ['0.2.0']);
  });

  it('counts no update of its own among what a session leaves behind, and what somebody does to one of them', async () => {
    const program = join(VERSIONS, '0.2.0/program/curfew-agent.js');
    const agents = async (): Promise<string[]> => {
      const changes = await plane.json<Change[]>('sessions', 'changes', live.id);
      return changes.filter(({ kind }) => kind === 'CHANGE_KIND_AGENT').map(({ subject }) => subject);
    };
    // The new version has looked when it began.
    await eventually(
      async () => !(await plane.curfewctl('sessions', 'changes', live.id)).stderr.includes('told nothing yet'),
      { ...SOON, what: 'a look at the device' },
    );
    assert.deepEqual(await agents(), []);
    // What is in /etc is looked at once it changes.
    const touched = `echo >>${program}; touch /etc/curfew-was-here; rm /etc/curfew-was-here`;
    await device.device.must(['sh', '-c', touched]);
    await eventually(async () => (await agents()).length > 0, { ...SOON, what: 'a change of the agent' });
    assert.deepEqual(await agents(), [program]);
  });

  it('refuses what it must not take, goes on as it was, and the rollout pauses by itself', async () => {
    const pid = await agentPid();
    const stranger = await releaseSigningKey(generateLeaseKey());
    const cases = [
      { code: 'RELEASE_SIGNATURE_INVALID', wish: { version: '0.3.0', key: stranger } },
      { code: 'RELEASE_UNSAFE', wish: { version: '0.3.1', tar: ['-P', '--transform=s,^node$,../node,'] } },
      { code: 'RELEASE_CHECK_FAILED', wish: { version: '0.3.2', tar: ['--transform=s,^node$,other,'] } },
    ];
    for (const { code, wish } of cases) {
      const { version } = wish;
      const told = await offer(await releases.make(wish), version, 'REFUSED');
      assert.equal(told.code, code);
      const { state, reason } = await rollout();
      assert.equal(state, 'ROLLOUT_STATE_PAUSED');
      assert.match(reason ?? '', new RegExp(`^fresh-3 has refused it: ${code}`));
    }
    // One byte is another on the server's disk.
    await plane.json('releases', 'add', await releases.make({ version: '0.3.3' }));
    const [newest] = await plane.json<{ sha256: string }[]>('releases', 'list');
    const archive = join(plane.folder, 'releases', newest?.sha256 ?? '');
    const bytes = readFileSync(archive);
    bytes[bytes.length - 20]! ^= 1;
    writeFileSync(archive, bytes);
    await plane.json('rollouts', 'start', '0.3.3', '--percent', '100');
    assert.equal((await until('0.3.3', 'REFUSED')).code, 'RELEASE_DAMAGED');
    assert.equal(await agentPid(), pid);
    assert.deepEqual(versions(), ['0.2.0']);
    await sessionGoesOn();
  });

  for (const { name, version, program, why, patience } of [
    { name: 'ends at once', version: '0.4.0', program: 'process.exit(1)', why: /three times/, patience: 60 },
    {
      name: 'ends in a way after which the service manager would not start it again',
      version: '0.4.1',
      program: 'process.exit(4)',
      why: /exit code 4/,
      patience: 60,
    },
    { name: 'hangs', version: '0.4.2', program: 'setInterval(() => 0, 1e6)', why: /not linked/, patience: 3 },
  ])
    it(`goes back from a version that ${name}, to the one before`, async () => {
      await setPatience(patience);
      const { detail } = await offer(await releases.make({ version, program }), version, 'ROLLED_BACK');
      assert.match(detail ?? '', why);
      await device.untilLinked();
      assert.equal((await shown()).facts.agentVersion, '0.2.0');
      assert.equal((await rollout()).state, 'ROLLOUT_STATE_PAUSED');
      await sessionGoesOn();
      // It is not tried again, though it is offered again.
      const pid = await agentPid();
      await plane.json('rollouts', 'resume');
      assert.equal((await rollout()).state, 'ROLLOUT_STATE_RUNNING');
      assert.equal((await until(version, 'ROLLED_BACK')).version, version);
      assert.equal(await agentPid(), pid);
    });

  it('takes releases under another supervisor than systemd, if that says that it is one, and otherwise says that it takes none', async () => {
    await device.device.must(['systemctl', 'stop', 'curfew-agent.service']);
    const env = { CURFEW_UPDATE_PROOF: '2', CURFEW_UPDATE_PATIENCE: '60', ...AGENT_ENV };
    const alone = device.device.spawn(['curfew-agent', 'run'], { env });
    await device.untilLinked();
    await eventually(async () => (await shown()).update === undefined, { ...SOON, what: 'one that takes none' });
    await alone.stop();

    const loop = 'until [ -e /root/enough ]; do curfew-agent run & echo $! >/root/agent; wait; done';
    const supervisor = device.device.spawn(['sh', '-c', loop], { env: { ...env, CURFEW_SUPERVISED: 'yes' } });
    await device.untilLinked();
    const wish = { format: 'release', program: 'agent', version: '0.5.0', keyFile: releases.keyFile } as const;
    await offer(await packages.make(wish), '0.5.0', 'INSTALLED');
    assert.equal((await shown()).facts.agentVersion, '0.5.0');
    const bad = await releases.make({ version: '0.5.1', program: 'process.exit(4)' });
    assert.match((await offer(bad, '0.5.1', 'ROLLED_BACK')).detail ?? '', /three times/);
    assert.equal((await shown()).facts.agentVersion, '0.5.0');
    await sessionGoesOn();
    await device.device.must(['sh', '-c', 'touch /root/enough; kill "$(cat /root/agent)"']);
    await eventually(() => supervisor.end !== undefined, { ...SOON, what: 'the end of the supervisor' });
    await device.device.must(['systemctl', 'start', 'curfew-agent.service']);
    await device.untilLinked();
  });

  it('is in the audit log', async () => {
    const events = await plane.json<{ type: string }[]>('audit', 'list');
    const types = new Set(events.map(({ type }) => type));
    for (const type of ['release.added', 'rollout.started', 'rollout.paused', 'rollout.resumed', 'rollout.finished'])
      assert.ok(types.has(type), type);
    for (const type of ['device.updated', 'device.update_refused', 'device.update_rolled_back'])
      assert.ok(types.has(type), type);
  });

  it('is not taken off without the code that the server wants, and everything stays as it is', async () => {
    await eventually(
      async () => (await device.device.run(['ls', '/var/lib/curfew/uninstall-needs-code'])).exitCode === 0,
      {
        ...SOON,
        what: 'a device that knows the rule',
      },
    );
    const pid = await agentPid();
    const { secret: other } = await plane.json<{ secret: string }>('devices', 'join-token', 'create');
    for (const [code, refusal] of [
      ['', 'an operator must allow this'],
      [other, 'the code is not for this device'],
    ] as const) {
      const env = { CURFEW_UNINSTALL_CODE: code };
      const purged = await device.device.run(['dpkg', '--purge', 'curfew-agent'], { env, timeoutMs: 120_000 });
      assert.equal(purged.exitCode, 1);
      assert.match(purged.stderr, new RegExp(refusal));
      const asked = await device.device.run(['curfew-agent', 'uninstall'], { env });
      assert.deepEqual([asked.exitCode, asked.stdout], [1, '']);
    }
    assert.equal(await agentPid(), pid);
    await sessionGoesOn();
    assert.equal(await device.device.must(['curfew-agent', '--version']), '0.5.0');
  });

  it('leaves nothing of it when it is purged with that code, out of reach of the server', async () => {
    const { code } = await plane.json<{ code: string }>('devices', 'uninstall-code', 'fresh-3');
    await plane.stop();
    const env = { CURFEW_UNINSTALL_CODE: code };
    await device.device.must(['dpkg', '--purge', 'curfew-agent'], { env, timeoutMs: 120_000 });
    assert.equal(await device.mayBeRoot('alice'), false);
    assert.equal((await device.device.run(['ls', '/var/lib/curfew'])).exitCode, 2);
    assert.equal((await device.device.run(['ls', '/usr/lib/curfew-agent'])).exitCode, 2);
  });
});
