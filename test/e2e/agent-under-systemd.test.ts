import assert from 'node:assert/strict';
import { AgentService } from '../support/agent-service.js';
import { ControlPlane } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

interface Session {
  readonly id: string;
  readonly state: string;
  readonly expireTime: string;
  readonly endReason?: string;
}

/** The bound for a dead agent (invariant 1). */
const DEAD_AGENT_BOUND_MS = 5_000;
const HOST = 'server-1';
const UNIT = 'curfew-agent.service';
const SWEEP = '/etc/systemd/system/curfew-boot-sweep.service';
const GRANT = ['sessions', 'grant', '--device', HOST, '--reason', 'a look'];

/** Prints, each time, when the look began and what was found. */
const LOOK = `
while :; do
  found= at=$(date +%s%3N)
  setpriv --reuid alice --regid alice --init-groups sudo -n true 2>/dev/null && found="$found sudo"
  [ -z "$(ls /run/curfew/sudoers.d)" ] || found="$found rule"
  case " $(id -Gn bob) " in *" sudo "*) found="$found membership" ;; esac
  echo "$at$found"
  [ -n "$found" ] || exit 0
  sleep 0.1
done`;

describeOn(['systemd devices'], 'an agent under systemd', function () {
  this.timeout(240_000);
  let plane: ControlPlane;
  let device: Device;
  let service: AgentService;

  before(async () => {
    plane = await ControlPlane.start();
    const users = [{ name: 'alice' }, { name: 'bob' }, { name: 'carol', groups: ['sudo'] }];
    device = await Device.start({ name: HOST, users, init: 'systemd' });
    service = await AgentService.install(plane, device);
    for (const { name } of users) await plane.json('users', 'create', name, '--role', 'user');
  });
  after(async () => {
    await device.dispose();
    await plane.dispose();
  });
  beforeEach(() => service.restore());
  afterEach(() => plane.curfewctl('sessions', 'revoke', '--everything', '--reason', 'next test', '--wait'));

  const mayBeRoot = async (user: string): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: user })).exitCode === 0;
  const groupsOf = async (user: string): Promise<string[]> => (await device.must(['id', '-Gn', user])).split(' ');
  const succeeds = async (...argv: string[]): Promise<boolean> => (await device.run(argv)).exitCode === 0;
  const rules = (): Promise<string> => device.must(['ls', '/run/curfew/sudoers.d']);
  const timers = (): Promise<string> =>
    device.must(['systemctl', 'list-units', '--plain', '--no-legend', 'curfew-remove-*.timer']);
  const grant = async (user: string, forTime: string, ...options: string[]): Promise<Session> =>
    plane.json<Session>(...GRANT, '--user', user, '--for', forTime, '--wait', ...options);
  const session = (id: string): Promise<Session> => plane.json<Session>('sessions', 'show', id);

  it('is hardened as shipped, and ready only when the sweep is done', async () => {
    assert.equal(await service.property('ActiveState'), 'active');
    assert.equal(await service.property('Type'), 'notify');
    const verdict = await device.must(['systemd-analyze', 'security', '--no-pager', 'curfew-agent.service']);
    const [, exposure] = /Overall exposure level for curfew-agent\.service: (\d+\.\d)/.exec(verdict) ?? [];
    assert.ok(Number(exposure) < 3.5, verdict.slice(-200));
    const status = await device.must(['curfew-agent', 'status']);
    assert.match(status, /^can give: +sudo rules, group memberships$/m);
    assert.match(status, /^remover: +systemd-timer$/m);
  });

  it('reaches the terminals of people, hardened as it is', async () => {
    const terminal = device.spawn(['script', '-qfc', 'echo shown; sleep 1000', '/dev/null'], { as: 'alice' });
    try {
      await eventually(() => terminal.stdout.includes('shown'), { withinMs: 20_000 });
      await grant('alice', '10m');
      await eventually(() => terminal.stdout.includes('Curfew: You have admin rights for 10m.'), { withinMs: 20_000 });
    } finally {
      await terminal.stop('SIGKILL');
    }
  });

  it('gives a right with a timer that counts by both clocks, forgets authentications, and stands the timer down', async () => {
    const tickets = ['alice', '1001'].map((name) => `/run/sudo/ts/${name}`);
    await device.must(['install', '-d', '-m', '0700', '/run/sudo/ts']);
    await device.must(['touch', ...tickets]);
    const { id } = await grant('alice', '10m');
    assert.equal(await mayBeRoot('alice'), true);
    for (const ticket of tickets) assert.equal(await succeeds('test', '-e', ticket), false, ticket);
    const timer = (await timers()).split(' ')[0] ?? '';
    assert.ok(timer.startsWith(`curfew-remove-${id}-`), timer);
    const shown = await device.must(['systemctl', 'show', timer, '-p', 'TimersMonotonic', '-p', 'TimersCalendar']);
    assert.match(shown, /OnActiveUSec=(?:10min|9min \d+s)/);
    assert.match(shown, /OnCalendar=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
    await plane.curfewctl('sessions', 'revoke', id, '--reason', 'enough', '--wait');
    assert.equal(await mayBeRoot('alice'), false);
    assert.equal(await rules(), '');
    await eventually(async () => (await timers()) === '', { withinMs: 20_000, what: 'no timer' });
  });

  it('keeps a right over a restart and a stop, and over being hung, which systemd ends', async () => {
    const { id } = await grant('alice', '10m');
    await service.systemctl('restart');
    assert.equal(await mayBeRoot('alice'), true);
    await service.systemctl('stop');
    assert.equal(await mayBeRoot('alice'), true);
    await service.systemctl('start');
    await service.untilLinked();
    const hung = await service.property('MainPID');
    await device.must(['kill', '-STOP', hung]);
    await eventually(async () => !['0', hung].includes(await service.property('MainPID')), {
      withinMs: 60_000,
      everyMs: 250,
      what: 'another process',
    });
    await service.untilLinked();
    assert.equal(await service.property('NRestarts'), '1');
    assert.equal(await mayBeRoot('alice'), true);
    assert.equal((await session(id)).state, 'SESSION_STATE_ACTIVE');
  });

  /** Looks again and again, from the device itself, until neither rule nor membership is there; gives when each last was. */
  async function lastSeen(): Promise<{ sudo: number; rule: number; membership: number }> {
    const looked = await device.must(['bash', '-c', LOOK], { timeoutMs: 120_000 });
    const seen = { sudo: 0, rule: 0, membership: 0 };
    for (const line of looked.split('\n')) {
      const [at, ...found] = line.split(' ');
      for (const name of found) seen[name as keyof typeof seen] = Number(at);
    }
    return seen;
  }

  it('loses rules and memberships on time when it is dead for good and its program is gone', async () => {
    // Whatever else the machine does, both must be given before they are over.
    const began = performance.now();
    const { id } = await grant('alice', '10m');
    await plane.curfewctl('sessions', 'revoke', id, '--reason', 'that was to see how long it takes', '--wait');
    const forTime = `${10 + Math.ceil((2 * (performance.now() - began)) / 1000)}s`;
    const { id: membership } = await grant('bob', forTime, '--group');
    const { id: rule } = await grant('alice', forTime);
    const forGood = `systemctl mask ${UNIT}; rm /usr/bin/curfew-agent; systemctl kill --signal=SIGKILL ${UNIT}`;
    await device.must(['bash', '-c', forGood]);
    const ends = await Promise.all([rule, membership].map(async (id) => Date.parse((await session(id)).expireTime)));
    const seen = await lastSeen();
    assert.ok(seen.sudo > 0 && seen.membership > 0, JSON.stringify(seen));
    const late = [seen.sudo, seen.rule, seen.membership].map((at, index) => at - (ends[index === 2 ? 1 : 0] ?? 0));
    assert.ok(Math.max(...late) <= DEAD_AGENT_BOUND_MS, `late by ${late.join(', ')} ms`);
    assert.equal(await service.property('MainPID'), '0');
    assert.deepEqual(await groupsOf('carol'), ['carol', 'sudo']);
    await service.restore();
    await eventually(async () => (await plane.json<Session[]>('sessions', 'list')).length === 0, {
      withinMs: 60_000,
      what: 'the server to be told',
    });
  });

  it('gives nothing while systemd can arm no timer', async () => {
    await device.must(['mv', '/usr/bin/systemd-run', '/usr/bin/systemd-run.away']);
    const refused = await plane.curfewctl(...GRANT, '--user', 'alice', '--for', '10m', '--wait');
    await device.must(['mv', '/usr/bin/systemd-run.away', '/usr/bin/systemd-run']);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout + refused.stderr, /REMOVER_UNAVAILABLE/);
    assert.deepEqual([await mayBeRoot('alice'), await rules()], [false, '']);
  });

  it('tells of accounts that come, and calls nobody an administrator for a membership of its own', async () => {
    await grant('bob', '10m', '--group');
    await device.must(['useradd', 'dave']);
    const accounts = async (): Promise<{ name: string; standingAdmin?: boolean }[]> =>
      (await plane.json<{ accounts: { name: string; standingAdmin?: boolean }[] }>('devices', 'show', HOST)).accounts;
    await eventually(async () => (await accounts()).some(({ name }) => name === 'dave'), {
      withinMs: 60_000,
      everyMs: 500,
      what: 'the new account on the server',
    });
    const admins = (await accounts()).filter(({ standingAdmin }) => standingAdmin === true).map(({ name }) => name);
    assert.deepEqual(admins, ['carol']);
  });

  it('shares the machine with a selftest', async () => {
    const { id } = await grant('alice', '10m');
    const tested = await device.run(['curfew-agent', 'selftest'], { timeoutMs: 200_000 });
    assert.equal(tested.exitCode, 0, tested.stdout + tested.stderr);
    assert.match(tested.stdout, /^Passed: rights end on this machine\.$/m);
    assert.equal(await mayBeRoot('alice'), true);
    assert.equal((await session(id)).state, 'SESSION_STATE_ACTIVE');
  });

  it('gives no membership to who has one anyway, and leaves it', async () => {
    const refused = await plane.curfewctl(...GRANT, '--user', 'carol', '--for', '10m', '--wait', '--group');
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stdout + refused.stderr, /member of sudo without this session/);
    assert.deepEqual(await groupsOf('carol'), ['carol', 'sudo']);
  });

  it('waits for whoever has the group database locked, and claims nothing meanwhile', async () => {
    const { id } = await grant('bob', '10m', '--group');
    const holder = device.spawn(['bash', '-c', 'printf %s $$ > /etc/group.lock; exec sleep 1000']);
    try {
      await eventually(() => succeeds('test', '-s', '/etc/group.lock'), { withinMs: 20_000 });
      await plane.json('sessions', 'revoke', id, '--reason', 'enough');
      // gpasswd fails at once, and the agent tries it again and again.
      const said = () => device.must(['journalctl', '-u', UNIT, '-o', 'cat', '-n', '50']);
      await eventually(async () => (await said()).includes('cannot lock /etc/group'), {
        withinMs: 20_000,
        what: 'a removal that waits',
      }).catch(async (cause: unknown) => {
        const processes = await device.must(['ps', '-eo', 'pid,ppid,args']);
        await service.fail(
          `no removal waits: ${JSON.stringify(await session(id))}\n${plane.log.slice(-2_000)}\n${processes}`,
          cause,
        );
      });
      assert.equal((await session(id)).state, 'SESSION_STATE_ENDING');
      assert.deepEqual(await groupsOf('bob'), ['bob', 'sudo']);
    } finally {
      await holder.stop('SIGKILL');
      await device.must(['rm', '-f', '/etc/group.lock']);
    }
    await eventually(async () => (await session(id)).state === 'SESSION_STATE_ENDED', { withinMs: 60_000 });
    assert.deepEqual(await groupsOf('bob'), ['bob']);
    assert.deepEqual(await groupsOf('carol'), ['carol', 'sudo']);
  });

  it('takes a membership away from whoever was renamed meanwhile', async () => {
    const { id } = await grant('bob', '10m', '--group');
    await device.must(['usermod', '--login', 'robert', 'bob']);
    await eventually(async () => (await session(id)).state === 'SESSION_STATE_ENDED', { withinMs: 60_000 });
    assert.deepEqual(await groupsOf('robert'), ['bob']);
    await device.must(['usermod', '--login', 'bob', 'robert']);
    await plane.untilReported(HOST, 'bob');
  });

  it('has no rule and no membership after a reboot, before anyone can log in, even when it never starts again', async () => {
    const { id: membership } = await grant('bob', '10m', '--group');
    const { id: rule } = await grant('alice', '10m');
    await service.systemctl('mask');
    await device.must(['rm', '/usr/bin/curfew-agent']);
    await device.reboot();
    assert.equal(await mayBeRoot('alice'), false);
    assert.deepEqual(await groupsOf('bob'), ['bob']);
    assert.deepEqual(await groupsOf('carol'), ['carol', 'sudo']);
    const order = ['curfew-boot-sweep.service', 'systemd-user-sessions.service'];
    const [swept, logins] = await Promise.all(
      order.map(async (unit) =>
        Number(await device.must(['systemctl', 'show', '--value', '-p', 'ExecMainStartTimestampMonotonic', unit])),
      ),
    );
    assert.ok(swept! > 0 && swept! < logins!, `${String(swept)} < ${String(logins)}`);
    await service.restore();
    await eventually(async () => (await mayBeRoot('alice')) && (await groupsOf('bob')).includes('sudo'), {
      withinMs: 60_000,
      what: 'both sessions to go on under fresh leases',
    });
    for (const id of [rule, membership]) assert.equal((await session(id)).state, 'SESSION_STATE_ACTIVE');
  });

  it('is taken off the machine with its sessions, which the server learns', async () => {
    const etc = await device.etcHash();
    const { id } = await grant('alice', '10m');
    const gone = await device.must(['curfew-agent', 'uninstall']);
    assert.match(
      gone,
      /^1 session ended; the server knows\.\nRemoved\.\nThe server still lists the device: .* server-1$/,
    );
    assert.notEqual(await device.etcHash(), etc);
    assert.equal((await session(id)).endReason, 'END_REASON_ENDED_BY_USER');
    assert.equal(await mayBeRoot('alice'), false);
    assert.equal(await service.property('UnitFileState'), 'disabled');
    for (const path of ['/run/curfew', '/var/lib/curfew', '/etc/sudoers.d/zz-curfew', SWEEP])
      assert.equal(await succeeds('test', '-e', path), false, path);
    assert.equal(await timers(), '');
    const again = await device.must(['curfew-agent', 'uninstall']);
    assert.equal(again, 'No session was live.\nRemoved.');
  });
});
