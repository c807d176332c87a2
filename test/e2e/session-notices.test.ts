import assert from 'node:assert/strict';
import { ControlPlane } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { DeviceTerminal } from '../support/device-terminal.js';
import { describeOn } from '../support/machine-needs.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 60_000 } as const;

describeOn(['devices', { program: 'dbus-daemon' }], 'a person at work on a device', function () {
  this.timeout(180_000);
  let plane: ControlPlane;
  let device: Device;
  const started: DeviceProcess[] = [];

  /** A terminal of its own, and what is shown on it. */
  async function terminalOf(user: string, command: string): Promise<DeviceProcess> {
    const { process: terminal } = DeviceTerminal.open(device, user, `${command}; echo shown; sleep 1000`);
    started.push(terminal);
    await eventually(() => terminal.stdout.includes('shown'), SOON);
    return terminal;
  }

  before(async () => {
    plane = await ControlPlane.start();
    device = await Device.start({ name: 'desk-1', users: [{ name: 'alice' }, { name: 'bob' }] });
    await plane.join(device);
  });

  after(async () => {
    for (const process of started) await process.stop('SIGKILL');
    await device.dispose();
    await plane.dispose();
  });

  it('is told in the terminals and on the desktop when a right starts and ends, and nobody else is', async () => {
    const uid = (await device.must(['id', '-u', 'alice'])).trim();
    const folder = `/run/user/${uid}`;
    await device.must(['install', '-d', '-m', '0700', '-o', 'alice', folder]);
    const address = `unix:path=${folder}/bus`;
    const bus = device.spawn(['dbus-daemon', '--session', '--nofork', `--address=${address}`], { as: 'alice' });
    started.push(bus);
    await eventually(async () => (await device.run(['test', '-S', `${folder}/bus`])).exitCode === 0, SOON);
    const desktop = device.spawn(['dbus-monitor', '--address', address], { as: 'alice' });
    started.push(desktop);
    await eventually(() => desktop.stdout.includes('NameAcquired'), SOON);
    const [alice, busy, bob] = [
      await terminalOf('alice', 'mesg y'),
      await terminalOf('alice', 'mesg n'),
      await terminalOf('bob', 'mesg y'),
    ];

    await plane.json('users', 'create', 'alice', '--role', 'user');
    const wish = ['--user', 'alice', '--device', 'desk-1', '--for', '30m', '--reason', 'a look'];
    const { id } = await plane.json<{ id: string }>('sessions', 'grant', ...wish);
    const start = 'You have admin rights for 30m. To give them back: curfew end';
    await eventually(() => alice.stdout.includes(start) && desktop.stdout.includes(start), {
      ...SOON,
      what: 'a start',
    });
    assert.match(desktop.stdout, /interface=org\.freedesktop\.Notifications; member=Notify\n\s+string "Curfew"/);
    await plane.curfewctl('sessions', 'revoke', id, '--reason', 'that is enough', '--wait');
    const end = /Your admin rights have ended: they were revoked \(.*that is enough\)\./;
    await eventually(() => end.test(alice.stdout) && end.test(desktop.stdout), { ...SOON, what: 'an end' });
    for (const other of [busy, bob]) assert.doesNotMatch(other.stdout, /Curfew/);
  });
});
