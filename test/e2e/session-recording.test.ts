import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { startAgent } from '../support/control-plane.js';
import { Device, type DeviceOptions } from '../support/device.js';
import { DEVICE_BIN } from '../support/device-init.js';
import type { DeviceProcess } from '../support/device-process.js';
import { assertSame, DeviceTerminal } from '../support/device-terminal.js';
import { keepFollowerAway } from '../support/follower-away.js';
import { LeaseServer, type LeaseTerms } from '../support/lease-server.js';
import { describeOn } from '../support/machine-needs.js';
import { recordedEvents, spooledRecordings, streamOf, type SpooledRecording } from '../support/recording-spool.js';
import { eventually } from '../support/wait.js';

const OUTPUT: LeaseTerms = { recording: { mode: 'output', required: true } };
const SECRET = 'Tr0ub4dor-and-3';
const KIB = 1024;

/** A device with a real agent and real sudo, and the smallest server. */
async function stage(
  env: Readonly<Record<string, string>> = {},
  kind: Pick<DeviceOptions, 'init' | 'cgroups'> = { cgroups: 2 },
): Promise<Stage> {
  const server = await LeaseServer.start();
  const device = await Device.start({ name: 'server-1', users: [{ name: 'alice' }, { name: 'bob' }], ...kind });
  await server.enrol(device);
  const stage = new Stage(server, device, env, await startAgent(device, [], env));
  await stage.followerRuns();
  return stage;
}

class Stage {
  private letFollowerCome = (): Promise<void> => Promise.resolve();

  constructor(
    readonly server: LeaseServer,
    readonly device: Device,
    private readonly env: Readonly<Record<string, string>>,
    public agent: DeviceProcess,
  ) {}

  async dispose(): Promise<void> {
    await this.device.dispose();
    this.server.dispose();
  }

  /** Ends every session, and has no recording left. */
  async clear(): Promise<void> {
    await this.letFollowerCome();
    this.server.takesRecordings = true;
    await this.server.revokeAll();
    await eventually(() => this.spooled().length === 0, { withinMs: 30_000, what: 'a device without recordings' });
    this.server.recordings.clear();
  }

  /** Gives alice a session of which recordings stay on the device, to be read there. */
  async grant(terms: LeaseTerms): Promise<void> {
    this.server.takesRecordings = false;
    await this.server.grant('alice', terms);
  }

  spooled(): SpooledRecording[] {
    return spooledRecordings(this.device);
  }

  /** The recordings, once there are so many and all are over. */
  over(count = 1): Promise<SpooledRecording[]> {
    return eventually(
      () => {
        const found = this.spooled();
        return found.length >= count && found.every(({ head }) => head.state !== 'running') && found;
      },
      { withinMs: 90_000, what: `${count} recordings that are over` },
    );
  }

  async one(): Promise<SpooledRecording> {
    const [recording, ...others] = await this.over();
    assert.ok(recording);
    assert.deepEqual(others, []);
    return recording;
  }

  /** Starts a command of alice's on a terminal of its own. */
  terminal(command: string): DeviceTerminal {
    return DeviceTerminal.open(this.device, 'alice', command);
  }

  /** Runs a command of alice's on a terminal to its end. */
  async onTerminal(command: string): Promise<{ readonly exitCode: number; readonly shown: Buffer }> {
    const terminal = this.terminal(command);
    return { exitCode: await terminal.exitCode(), shown: terminal.shown() };
  }

  sudo(...argv: readonly string[]): ReturnType<Device['run']> {
    return this.device.run(['sudo', '-n', ...argv], { as: 'alice' });
  }

  followerRuns(): Promise<unknown> {
    return eventually(async () => (await this.device.must(['cat', '/proc/net/tcp'])).includes(':0266 '), {
      withinMs: 60_000,
      what: 'a follower that listens',
    });
  }

  /** Kills the follower, which nobody starts again until `followerComesBack`. */
  async killFollower(): Promise<void> {
    this.letFollowerCome = await keepFollowerAway(this.device);
  }

  async followerComesBack(): Promise<void> {
    await this.letFollowerCome();
    await this.followerRuns();
  }

  async restartAgent(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.agent.stop(signal);
    this.agent = await startAgent(this.device, [], this.env);
  }
}

describeOn(['devices', { program: 'vim' }], 'recording what a session runs', function () {
  this.timeout(400_000);
  let at: Stage;

  before(async () => {
    at = await stage();
  });
  after(() => at.dispose());
  afterEach(() => at.clear());

  it('is what a full-screen program showed, byte for byte, and what is known of it', async () => {
    await at.grant(OUTPUT);
    const terminal = at.terminal('sudo -n vim -u NONE -i NONE /tmp/notes');
    await terminal.process.waitFor(/~/);
    terminal.process.write('iHello\r' + 'w\u00f6rld \u001b');
    await terminal.process.waitFor(/rld/);
    terminal.process.write(':wq\r');
    const exitCode = await terminal.exitCode();
    const { head, bytes } = await at.one();
    assertSame(streamOf(bytes, 'terminalOutput'), terminal.shown());
    assert.deepEqual(
      [exitCode, head.exitStatus, head.command, head.arguments, head.runAsUser, head.terminal.slice(0, 9), head.state],
      [0, 0, '/usr/bin/vim', ['vim', '-u', 'NONE', '-i', 'NONE', '/tmp/notes'], 'root', '/dev/pts/', 'complete'],
    );
    assert.ok(head.runTimeMs !== undefined && head.runTimeMs >= 0);
  });

  it('is 10 MB of a root shell, byte for byte', async () => {
    await at.grant(OUTPUT);
    const { exitCode, shown } = await at.onTerminal(
      `sudo -n -i sh -c 'yes 0123456789abcdef | head -c 10000000; exit 7'`,
    );
    assert.ok(shown.length > 10_000_000, String(shown.length));
    const { head, bytes } = await at.one();
    assertSame(streamOf(bytes, 'terminalOutput'), shown);
    assert.deepEqual([exitCode, head.exitStatus, head.lostBytes], [7, 7, 0]);
  });

  it('is every byte there is, on a terminal and through pipes', async () => {
    await at.grant(OUTPUT);
    const every = Buffer.from(Array.from({ length: 256 * 20 }, (_, index) => (index * 7 + (index >> 8)) % 256));
    writeFileSync(join(at.device.root, 'tmp/every'), every);
    const { shown } = await at.onTerminal('sudo -n cat /tmp/every');
    const script = 'sudo -n sh -c "cat /tmp/every; cat /tmp/every >&2; exit 9" >/tmp/out 2>/tmp/err';
    assert.equal((await at.device.run(['sh', '-c', script], { as: 'alice' })).exitCode, 9);
    const [first, second] = await at.over(2);
    assert.ok(first && second);
    assertSame(streamOf(first.bytes, 'terminalOutput'), shown);
    assert.ok(shown.length > every.length, 'a terminal makes two of a line feed');
    assertSame(streamOf(second.bytes, 'standardOutput'), every);
    assertSame(streamOf(second.bytes, 'standardError'), every);
    assert.deepEqual([second.head.terminal, second.head.exitStatus], ['', 9]);
  });

  it('is the sizes that the terminal had, where they changed', async () => {
    await at.grant(OUTPUT);
    const terminal = at.terminal(`sudo -n bash -c 'echo before; read -r _; stty size'`);
    await terminal.process.waitFor(/before/);
    const running = await eventually(() => at.spooled()[0], { withinMs: 30_000, what: 'a recording that runs' });
    assert.equal(running.head.state, 'running');
    await at.device.must(['stty', '-F', running.head.terminal, 'rows', '33', 'cols', '111']);
    const sizes = (): unknown[] =>
      recordedEvents(at.spooled()[0]?.bytes ?? Buffer.alloc(0)).flatMap(({ event }) =>
        event?.$case === 'windowSize' ? [event.value] : [],
      );
    // stty sets one after the other; sudo may see both.
    const newest = { columns: 111, lines: 33 };
    await eventually(() => isDeepStrictEqual(sizes().at(-1), newest), { withinMs: 30_000, what: 'a new size' });
    terminal.process.write('\r');
    await terminal.process.ended;
    const { bytes } = await at.one();
    assert.deepEqual(sizes().at(-1), newest);
    assertSame(streamOf(bytes, 'terminalOutput'), terminal.shown());
    const kinds = recordedEvents(bytes).map(({ event }) => event?.$case);
    assert.ok(kinds.indexOf('windowSize') > kinds.indexOf('terminalOutput'));
    assert.match(terminal.shown().toString(), /33 111/);
  });

  it('is fifty commands at a time, each by itself', async () => {
    await at.grant(OUTPUT);
    const terminals = Array.from({ length: 50 }, (_, n) =>
      at.terminal(`sudo -n sh -c 'seq ${n + 10}00000 ${n + 10}02000; exit ${n + 10}'`),
    );
    const statuses = await Promise.all(terminals.map((terminal) => terminal.exitCode()));
    assert.deepEqual(
      statuses,
      terminals.map((_, n) => n + 10),
    );
    const recordings = await at.over(50);
    assert.equal(new Set(recordings.map(({ head }) => head.exitStatus)).size, 50);
    for (const { head, bytes } of recordings)
      assertSame(streamOf(bytes, 'terminalOutput'), terminals[head.exitStatus - 10]?.shown() ?? Buffer.alloc(0));
  });

  it('goes on while the agent is killed and started anew', async () => {
    await at.grant(OUTPUT);
    const terminal = at.terminal(`sudo -n bash -c 'for n in 1 2 3; do echo line $n; read -r _; done'`);
    await terminal.process.waitFor(/line 1/);
    await at.restartAgent('SIGKILL');
    terminal.process.write('\r');
    await terminal.process.waitFor(/line 2/);
    await at.restartAgent('SIGTERM');
    terminal.process.write('\r');
    await terminal.process.waitFor(/line 3/);
    terminal.process.write('\r');
    assert.equal(await terminal.exitCode(), 0);
    const { head, bytes } = await at.one();
    assertSame(streamOf(bytes, 'terminalOutput'), terminal.shown());
    assert.deepEqual([head.state, head.exitStatus], ['complete', 0]);
  });

  for (const mode of ['commands', 'output', 'input_and_output'] as const)
    it(`is required: without the follower a command ends and sudo refuses, with it again both work (${mode})`, async () => {
      await at.grant({ recording: { mode, required: true } });
      const terminal = at.terminal(`sudo -n bash -c 'echo on it goes; sleep 1000'`);
      await terminal.process.waitFor(/on it goes/);
      const shown = (): string => streamOf(at.spooled()[0]?.bytes ?? Buffer.alloc(0), 'terminalOutput').toString();
      await eventually(() => mode === 'commands' || shown().includes('on it goes'), { withinMs: 30_000 });
      await at.killFollower();
      assert.notEqual(await terminal.exitCode(), 0);
      assert.deepEqual((await at.device.run(['pgrep', '-f', '^sleep 1000$'])).stdout, '');
      const refused = await at.sudo('id', '-u');
      assert.deepEqual([refused.exitCode, refused.stdout], [1, '']);
      assert.match(refused.stderr, /unable to connect to log server/);
      await at.followerComesBack();
      const { head } = await at.one();
      assert.deepEqual([head.state, shown()], ['cut_short', mode === 'commands' ? '' : 'on it goes\r\n']);
      assert.equal((await at.sudo('id', '-u')).stdout, '0\n');
    });

  for (const mode of ['commands', 'output', 'input_and_output'] as const)
    it(`is not required: without the follower a command goes on, and sudo too, unrecorded (${mode})`, async () => {
      await at.grant({ recording: { mode, required: false } });
      const terminal = at.terminal(`sudo -n bash -c 'echo on it goes; read -r _; echo to the end; exit 5'`);
      await terminal.process.waitFor(/on it goes/);
      await eventually(() => at.spooled().length > 0, { withinMs: 30_000 });
      await at.killFollower();
      const meanwhile = await at.sudo('id', '-u');
      assert.deepEqual([meanwhile.exitCode, meanwhile.stdout], [0, '0\n']);
      terminal.process.write('\r');
      assert.equal(await terminal.exitCode(), 5);
      assert.match(terminal.process.output, /to the end/);
      await at.followerComesBack();
      const { head } = await at.one();
      assert.equal(head.state, 'cut_short');
    });

  it('is who ran what, where and how it ended, and nothing else, where only that is asked for', async () => {
    await at.grant({ recording: { mode: 'commands', required: true } });
    const script = 'cd /tmp && echo in | sudo -n -u bob sh -c "cat; echo err >&2; exit 3"';
    await at.device.run(['sh', '-c', script], { as: 'alice' });
    assert.equal((await at.onTerminal(`sudo -n sh -c 'echo out; kill -KILL $$'`)).exitCode, 137);
    const [first, second] = await at.over(2);
    assert.ok(first && second);
    assert.deepEqual([first.bytes.length, second.bytes.length], [0, 0]);
    const { command, arguments: argv, workingDirectory, runAsUser, exitStatus, mode } = first.head;
    assert.match(command, /^\/(usr\/)?bin\/(sh|dash|bash)$/);
    assert.deepEqual(
      [argv, workingDirectory, runAsUser, exitStatus, mode],
      [['sh', '-c', 'cat; echo err >&2; exit 3'], '/tmp', 'bob', 3, 'commands'],
    );
    assert.deepEqual([second.head.exitStatus, second.head.signal, second.head.state], [137, 'KILL', 'complete']);
  });

  it('is what was typed, but no password', async () => {
    await at.grant({ recording: { mode: 'input_and_output', required: true } });
    const terminal = at.terminal(`sudo -n bash -c 'passwd bob; read -rp "name: " name; cat'`);
    await terminal.process.waitFor(/New password: /);
    terminal.process.write(`${SECRET}\r`);
    await terminal.process.waitFor(/Retype new password: /);
    for (const letter of `${SECRET}\r`) terminal.process.write(letter);
    await terminal.process.waitFor(/name: /);
    terminal.process.write('visible\r');
    await terminal.process.waitFor(/visible/);
    terminal.process.write('more\r\u0004');
    assert.equal(await terminal.exitCode(), 0);
    const { bytes } = await at.one();
    assert.equal(streamOf(bytes, 'terminalInput').toString(), '\r\rvisible\rmore\r\u0004');
    assertSame(streamOf(bytes, 'terminalOutput'), terminal.shown());
    const found = await at.device.run(['grep', '-raF', SECRET, '/var/lib/curfew']);
    assert.deepEqual([found.exitCode, found.stdout], [1, '']);
    const shadow = await at.device.must(['getent', 'shadow', 'bob']);
    assert.match(shadow, /^bob:\$/, 'it was the password that was typed');
  });

  it('is no input where only output is asked for, also when the machine logs input by itself', async () => {
    await at.device.must(['tee', '/etc/sudoers.d/10-own'], { stdin: 'Defaults log_input, log_output\n' });
    await at.grant(OUTPUT);
    const terminal = at.terminal(`sudo -n bash -c 'read -rsp "go on: " answer; echo'`);
    await terminal.process.waitFor(/go on: /);
    terminal.process.write('unseen\r');
    await terminal.process.ended;
    await at.device.must(['rm', '/etc/sudoers.d/10-own']);
    const { bytes } = await at.one();
    assert.equal(streamOf(bytes, 'terminalOutput').toString(), 'go on: \r\n');
    assert.equal(bytes.includes('unseen'), false);
  });

  it('is what sudo has refused, and why', async () => {
    await at.grant({ ...OUTPUT, commands: [['/usr/bin/id']] });
    assert.equal((await at.sudo('/usr/bin/id')).exitCode, 0);
    assert.equal((await at.sudo('/usr/bin/ls', '/root')).exitCode, 1);
    const [first, second] = await at.over(2);
    assert.ok(first && second);
    assert.deepEqual([first.head.state, second.head.state], ['complete', 'refused']);
    assert.deepEqual(second.head.arguments, ['/usr/bin/ls', '/root']);
    assert.notEqual(second.head.error, '');
  });

  it('leaves no log of its own on the device', async () => {
    await at.grant({ recording: { mode: 'input_and_output', required: true } });
    await at.sudo('id');
    await at.one();
    assert.equal((await at.device.run(['ls', '/var/log/sudo-io'])).exitCode, 2);
  });

  it('is nothing where the session has nothing recorded', async () => {
    await at.grant({});
    assert.equal((await at.sudo('id', '-u')).stdout, '0\n');
    assert.deepEqual(at.spooled(), []);
  });

  for (const mode of ['commands', 'output'] as const)
    it(`can be cut: the command ends with what it has started, and no other (${mode})`, async () => {
      await at.grant({ recording: { mode, required: false } });
      const [first, second] = ['sleep 1001', 'sleep 1002'].map((sleep) =>
        at.terminal(`sudo -n bash -c 'trap "" TERM HUP; echo ready; nohup ${sleep} & wait'`),
      ) as [DeviceTerminal, DeviceTerminal];
      for (const { process } of [first, second]) await process.waitFor(/ready/);
      const running = await eventually(() => at.spooled().length === 2 && at.spooled(), { withinMs: 30_000 });
      const target = running.find(({ head }) => head.arguments.join(' ').includes('1001'));
      assert.ok(target);
      await at.server.cut(target.head.id);
      await first.process.ended;
      const cut = await eventually(
        () => at.spooled().find(({ head }) => head.id === target.head.id && head.state !== 'running'),
        { withinMs: 20_000, what: 'a recording that is over' },
      );
      assert.ok(cut.head.state === 'cut_short' || cut.head.signal !== '', JSON.stringify(cut.head));
      await eventually(async () => (await at.device.run(['pgrep', '-f', '^sleep 1001$'])).stdout === '', {
        withinMs: 30_000,
      });
      assert.equal((await at.device.run(['pgrep', '-c', '-f', '^sleep 1002$'])).stdout, '1\n');
      assert.equal(at.spooled().find(({ head }) => head.id !== target.head.id)?.head.state, 'running');
      await at.server.cut();
    });

  it('comes to the server while it is made, and whole after the server was away', async () => {
    await at.server.grant('alice', OUTPUT);
    const terminal = at.terminal(`sudo -n bash -c 'echo live; read -r _; seq 200000; read -r _; echo end'`);
    const kept = (): ReturnType<LeaseServer['recordings']['get']> => [...at.server.recordings.values()][0];
    const brought = (): string => streamOf(kept()?.events ?? Buffer.alloc(0), 'terminalOutput').toString();
    await eventually(() => brought().includes('live'), { withinMs: 20_000, what: 'what is shown now' });
    assert.equal(at.spooled()[0]?.head.state, 'running');
    at.server.goAway();
    terminal.process.write('\r');
    await terminal.process.waitFor(/200000/, 30_000);
    await at.restartAgent('SIGKILL');
    terminal.process.write('\r');
    await terminal.process.ended;
    const whole = await at.one();
    await at.server.comeBack();
    await eventually(() => at.spooled().length === 0, { withinMs: 60_000, what: 'a device that has forgotten it' });
    assertSame(streamOf(kept()?.events ?? Buffer.alloc(0), 'terminalOutput'), terminal.shown());
    assert.equal(kept()?.recording.exitStatus, whole.head.exitStatus);
    assert.equal(at.server.recordings.size, 1);
  });
});

describeOn(['devices'], 'recording with little room on the device', function () {
  this.timeout(400_000);
  let at: Stage;

  before(async () => {
    at = await stage({ CURFEW_RECORDING_LIMIT: '1MiB' });
  });
  after(() => at.dispose());
  afterEach(() => at.clear());

  const used = async (): Promise<number> =>
    Number((await at.device.must(['du', '-s', '--block-size=1', '/var/lib/curfew/recordings'])).split('\t')[0]);

  it('leaves out what has no room, says so, and lets the command go on', async () => {
    await at.grant({ recording: { mode: 'output', required: false } });
    const { exitCode, shown } = await at.onTerminal(`sudo -n sh -c 'yes 0123456789abcdef | head -c 3000000; exit 4'`);
    const { head, bytes } = await at.one();
    assert.deepEqual([exitCode, head.exitStatus, head.state], [4, 4, 'complete']);
    const kept = streamOf(bytes, 'terminalOutput');
    // What was lost is lost where the recording says so, and nowhere else.
    let [place, lost] = [0, 0];
    for (const { event } of recordedEvents(bytes)) {
      if (event?.$case === 'lostBytes') [place, lost] = [place + Number(event.value), lost + Number(event.value)];
      if (event?.$case !== 'terminalOutput') continue;
      assertSame(Buffer.from(event.value), shown.subarray(place, place + event.value.length));
      place += event.value.length;
    }
    assert.deepEqual([place, lost], [shown.length, head.lostBytes]);
    assert.ok(kept.length > 256 * KIB, String(kept.length));
    assert.ok((await used()) <= KIB * KIB, String(await used()));
    assert.equal((await at.sudo('id', '-u')).stdout, '0\n');
  });

  it('ends the command and refuses others where recording is required, until there is room again', async () => {
    await at.grant(OUTPUT);
    const { exitCode, shown } = await at.onTerminal(`sudo -n sh -c 'yes 0123456789abcdef; exit 4'`);
    assert.notEqual(exitCode, 4);
    assert.match(shown.toString(), /there is no room left on this device to record this command/);
    const [{ head }] = (await at.over()) as [SpooledRecording];
    assert.ok(head.lostBytes > 0 && head.state !== 'running');
    assert.equal((await at.device.run(['pgrep', '-x', 'yes'])).stdout, '');
    // What is left of the room is used up by small recordings.
    const refused = await eventually(
      async () => {
        const answer = await at.sudo('sh', '-c', 'head -c 20000 /dev/zero');
        return answer.exitCode !== 0 && answer.stderr.includes('no room left') && answer;
      },
      { withinMs: 60_000, what: 'a sudo that refuses' },
    );
    assert.match(refused.stderr, /error message received from server: Curfew: there is no room left on this device/);
    assert.equal((await at.sudo('id', '-u')).exitCode, 1);
    assert.ok((await used()) <= KIB * KIB, String(await used()));
    at.server.takesRecordings = true;
    await eventually(() => at.spooled().length === 0, { withinMs: 30_000, what: 'room again' });
    assert.equal((await at.sudo('id', '-u')).stdout, '0\n');
  });

  it('is gone with the agent', async () => {
    await at.grant({ recording: { mode: 'output', required: false } });
    await at.sudo('id');
    await at.one();
    const done = await at.device.run([`${DEVICE_BIN}/curfew-agent`, 'uninstall', '--keep-enrolment'], {
      timeoutMs: 60_000,
    });
    assert.equal(done.exitCode, 0, done.stderr);
    assert.equal((await at.device.run(['ls', '/var/lib/curfew/recordings'])).exitCode, 2);
    at.agent = await startAgent(at.device, [], { CURFEW_RECORDING_LIMIT: '1MiB' });
    await at.followerRuns();
  });
});

describeOn(['systemd devices'], 'recording by a follower that is a unit of systemd', function () {
  this.timeout(400_000);
  let at: Stage;

  before(async () => {
    at = await stage({}, { init: 'systemd' });
  });
  after(() => at.dispose());
  afterEach(() => at.clear());

  it('is kept byte for byte, and the unit may write nowhere else', async () => {
    await at.grant(OUTPUT);
    const { exitCode, shown } = await at.onTerminal(`sudo -n -i sh -c 'seq 20000; exit 3'`);
    const { head, bytes } = await at.one();
    assertSame(streamOf(bytes, 'terminalOutput'), shown);
    assert.deepEqual([exitCode, head.exitStatus, head.state], [3, 3, 'complete']);
    const show = ['systemctl', 'show', '--value', '--property=ReadWritePaths', 'curfew-follower'];
    assert.equal(await at.device.must(show), '/run/curfew/processes /var/lib/curfew/recordings /sys/fs/cgroup');
  });

  it('is cut short when the unit is killed, whole but for the last moment, and goes on with the next command', async () => {
    await at.grant(OUTPUT);
    const terminal = at.terminal(`sudo -n sh -c 'seq 20000; sleep 1000'`);
    await terminal.process.waitFor(/20000/);
    const kept = (): Buffer => streamOf(at.spooled()[0]?.bytes ?? Buffer.alloc(0), 'terminalOutput');
    await eventually(() => kept().equals(terminal.shown()), { withinMs: 30_000, what: 'all of it' });
    const shown = terminal.shown();
    await at.device.must(['systemctl', 'kill', '--signal=KILL', 'curfew-follower']);
    await terminal.process.ended;
    await eventually(async () => (await at.sudo('id', '-u')).stdout === '0\n', {
      withinMs: 20_000,
      what: 'a follower',
    });
    const [first, second] = await at.over(2);
    assert.ok(first && second);
    assert.deepEqual([first.head.state, second.head.state], ['cut_short', 'complete']);
    assertSame(streamOf(first.bytes, 'terminalOutput'), shown);
  });
});
