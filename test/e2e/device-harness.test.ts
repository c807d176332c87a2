import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { createServer } from 'node:net';
import { DEVICE_PROGRAM } from '../support/device-init.js';
import { Device } from '../support/device.js';
import { describeOn } from '../support/machine-needs.js';
import { treeHash } from '../support/tree-hash.js';
import { eventually } from '../support/wait.js';

const RULE =
  'echo "#$(id -u alice) ALL=(ALL) NOPASSWD: ALL" > /run/rule && install -m 0440 /run/rule /etc/sudoers.d/alice';

/** The cables of devices that the machine has, known by its own addresses; others on it have devices, too. */
function cablesAt(hosts: readonly string[]): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((cable) => cable?.map(({ address }) => address) ?? []);
  return addresses.filter((address) => hosts.includes(address));
}

/** What of this process's devices can be seen from the machine: mounts and layers. */
function traces(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes('curfew-device-'));
  const layers = ['/dev/shm', '/run'].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.startsWith(`curfew-device-${process.pid}-`)),
  );
  return [...mounts, ...layers];
}

describeOn(['devices'], 'a namespace device', function () {
  this.timeout(180_000);
  let device: Device;

  beforeEach(async () => {
    device = await Device.start({ name: 'laptop-1', users: [{ name: 'alice' }, { name: 'bob' }] });
  });
  afterEach(() => device.dispose());

  it('is a host of its own: name, processes, users', async () => {
    assert.equal(await device.must(['hostname']), 'laptop-1');
    assert.equal(
      await device.must(['bash', '-c', 'echo $$; ps -e -o pid= | head -1']).then((out) => out.split('\n')[1]?.trim()),
      '1',
    );
    assert.equal(await device.must(['id', '-un'], { as: 'alice' }), 'alice');
    assert.equal(await device.must(['bash', '-c', 'echo $HOME; id -Gn'], { as: 'bob' }), '/home/bob\nbob');
  });

  it('runs the real sudo, which refuses without a rule and obeys a rule', async () => {
    const refused = await device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' });
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /a password is required/);
    await device.must(['bash', '-c', RULE]);
    assert.equal(await device.must(['sudo', '-n', 'id', '-u'], { as: 'alice' }), '0');
    assert.equal((await device.run(['sudo', '-n', 'id', '-u'], { as: 'bob' })).exitCode, 1);
  });

  it('keeps what it changes to itself', async () => {
    const before = await treeHash('/etc');
    const onDevice = await device.etcHash();
    await device.must(['bash', '-c', `${RULE}; rm ${DEVICE_PROGRAM}/package.json; ! touch /usr/curfew-was-here`]);
    assert.notEqual(await device.etcHash(), onDevice);
    assert.equal(await treeHash('/etc'), before);
    assert.ok(existsSync(new URL('../../../package.json', import.meta.url)));
  });

  it('has a shell that stays open and sees a rule come and go', async () => {
    const shell = device.shell('alice');
    assert.equal((await shell.run('sudo -n id -u')).exitCode, 1);
    await device.must(['bash', '-c', RULE]);
    assert.deepEqual(await shell.run('sudo -n id -u'), { exitCode: 0, stdout: '0\n', stderr: '' });
    await device.must(['rm', '/etc/sudoers.d/alice']);
    assert.equal((await shell.run('sudo -n id -u')).exitCode, 1);
    await shell.close();
  });

  it('loses /run, /tmp and every process at a reboot, keeps /etc, /var and /home, and has a new boot id', async () => {
    const bootId = await device.bootId();
    await device.must(['bash', '-c', 'touch /run/a /tmp/a /etc/a /var/lib/a /home/alice/a']);
    const running = device.spawn(['sleep', '1000']);
    await running.pid();
    await device.reboot();
    assert.equal((await running.ended).signal, 'SIGKILL');
    const left = await device.must([
      'bash',
      '-c',
      'ls /run/a /tmp/a /etc/a /var/lib/a /home/alice/a 2>/dev/null || true',
    ]);
    assert.equal(left, '/etc/a\n/home/alice/a\n/var/lib/a');
    assert.notEqual(await device.bootId(), bootId);
    assert.equal(await device.must(['id', '-un'], { as: 'alice' }), 'alice');
  });

  it('can be moved in boot time, as by a sleep', async () => {
    const uptime = async (): Promise<number> => Number((await device.must(['cat', '/proc/uptime'])).split(' ')[0]);
    const before = await uptime();
    await device.setUptimeOffset(3_600_000);
    const asleep = await uptime();
    assert.ok(asleep - before >= 3_600 && asleep - before < 3_660, `${before} → ${asleep}`);
    await eventually(async () => (await uptime()) > asleep, { withinMs: 20_000 });
    await device.setUptimeOffset(0);
    assert.ok((await uptime()) < asleep);
  });

  it('reaches the machine by its cable, and not while it is cut', async () => {
    const { network } = device;
    // Whoever is cut off in the middle resets the connection.
    const server = createServer((socket) => socket.on('error', () => undefined).end('hello'));
    await new Promise<void>((resolve) => server.listen(0, network.hostAddress, resolve));
    const { port } = server.address() as { port: number };
    const ask = ['timeout', '1', 'bash', '-c', `cat < /dev/tcp/${network.hostAddress}/${port}`];
    // The first tries may find no neighbour yet, or be cut off on a busy machine: what is waited for is the answer.
    const isAnswered = (): Promise<boolean> =>
      eventually(async () => (await device.run(ask)).stdout === 'hello', { withinMs: 20_000, what: 'an answer' });
    try {
      await isAnswered();
      await network.cut();
      assert.notEqual((await device.run(ask)).exitCode, 0);
      await network.restore();
      await isAnswered();
      await device.reboot();
      await isAnswered();
    } finally {
      server.close();
    }
  });

  it('stops, continues and kills a program, and gives up one that runs too long', async () => {
    const running = device.spawn(['bash', '-c', 'trap "echo got it" USR1; echo on; while :; do sleep 0.01; done']);
    await running.waitFor(/^on$/m);
    await running.kill('SIGSTOP');
    await running.kill('SIGUSR1');
    assert.doesNotMatch(running.stdout, /got it/);
    await running.kill('SIGCONT');
    await running.waitFor(/^got it$/m);
    assert.deepEqual(await running.stop('SIGKILL'), { exitCode: null, signal: 'SIGKILL' });
    await assert.rejects(device.run(['sleep', '60'], { timeoutMs: 50 }), /longer than 50 ms on laptop-1: sleep 60/);
  });

  it('takes hostile account names', async () => {
    const uid = await device.addUser({ name: 'ALL' });
    assert.equal(await device.must(['id', '-un'], { as: uid }), 'ALL');
    assert.equal(await device.addUser({ name: 'sharp', uid: 4321, password: 'x y', groups: ['sudo'] }), 4321);
    assert.equal(await device.must(['sudo', '-S', 'id', '-u'], { as: 'sharp', stdin: 'x y\n' }), '0');
  });
});

describeOn(['devices'], 'ten namespace devices', function () {
  this.timeout(180_000);

  it('are up together, apart from each other, and leave nothing', async () => {
    const etc = await treeHash('/etc');
    const before = traces();
    const names = Array.from({ length: 10 }, (_, index) => `device-${index}`);
    const devices = await Promise.all(names.map((name) => Device.start({ name, users: [{ name: 'alice' }] })));
    const hosts = devices.map(({ network }) => network.hostAddress);
    try {
      assert.equal(cablesAt(hosts).length, devices.length);
      const [first, ...others] = devices;
      await first!.must(['bash', '-c', RULE]);
      const asked = await Promise.all(devices.map((device) => device.run(['sudo', '-n', 'id', '-u'], { as: 'alice' })));
      assert.deepEqual(
        asked.map((answer) => answer.exitCode),
        [0, ...others.map(() => 1)],
      );
      assert.deepEqual(await Promise.all(devices.map((device) => device.must(['hostname']))), names);
      assert.equal(new Set(await Promise.all(devices.map((device) => device.bootId()))).size, 10);
      assert.equal(new Set(devices.map((device) => device.network.deviceAddress)).size, 10);
    } finally {
      await Promise.all(devices.map((device) => device.dispose()));
    }
    assert.deepEqual(traces(), before);
    assert.deepEqual(cablesAt(hosts), []);
    assert.equal(await treeHash('/etc'), etc);
  });

  it('end with the test process, however it ends', async () => {
    const device = await Device.start({ name: 'orphan' });
    const pid = device.pid;
    const sleeper = device.spawn(['setsid', 'sleep', '1000']);
    await sleeper.pid();
    device.loseParent();
    await eventually(() => !existsSync(`/proc/${pid}/root/etc`), { withinMs: 30_000 });
    await sleeper.ended;
    await device.dispose();
  });
});
