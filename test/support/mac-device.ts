import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEVICE_PROGRAM } from './device-init.js';
import { Device } from './device.js';

/** The tools of macOS, in their places; each asks one program of ours, which has what it knows in a file. */
const TOOLS = [
  '/usr/bin/dscl',
  '/usr/sbin/dseditgroup',
  '/usr/bin/dsmemberutil',
  '/usr/bin/dscacheutil',
  '/usr/sbin/sysctl',
  '/bin/launchctl',
];

/** A tool that asks the program. bash is not run by PATH, and starts quickly. */
const askAbout = (tool: string): string => `#!/bin/bash
exec 3<> /dev/tcp/127.0.0.1/4480
printf '%s\\n' $# ${tool} "$@" >&3
read -r code <&3
read -r length <&3
/usr/bin/head -c "$length" <&3
/bin/cat <&3 >&2
exit "$code"
`;

/**
 * A device that has what a Mac's agent uses: Open Directory, launchd and sysctl as programs that answer as Apple's do, and
 * a real sudo, which Apple's nearly is. Everything else of it is Linux.
 */
export async function startMacDevice(name: string): Promise<Device> {
  const device = await Device.start({ name, users: [{ name: 'alice' }, { name: 'bob' }], init: 'systemd' });
  try {
    const uids = (await device.must(['id', '-u', 'alice'])) + ' ' + (await device.must(['id', '-u', 'bob']));
    const [alice = 0, bob = 0] = uids.split(' ').map(Number);
    for (const tool of TOOLS) {
      const file = join(device.root, tool);
      mkdirSync(dirname(file), { recursive: true });
      rmSync(file, { force: true });
      writeFileSync(file, askAbout(tool));
      chmodSync(file, 0o755);
    }
    const user = (account: string, uid: number) => ({
      name: account,
      uid,
      gid: 20,
      uuid: `11111111-2222-3333-4444-${String(uid).padStart(12, '0')}`,
      home: `/Users/${account}`,
    });
    const state = {
      users: [user('root', 0), user('alice', alice), user('bob', bob), user('carol', 503)],
      groups: [
        { name: 'admin', gid: 80, members: ['root', 'carol'] },
        { name: 'staff', gid: 20, members: ['root'] },
      ],
      boot: '0A1B2C3D-0000-4000-8000-00000000B001',
      bootSecond: Math.floor(Date.now() / 1000 - Number((await device.must(['cat', '/proc/uptime'])).split(' ')[0])),
      services: ['curfew.agent', 'curfew.sweeper'],
    };
    writeFileSync(join(device.root, 'run/mac-state.json'), JSON.stringify(state));
    await device
      .spawn(['node', `${DEVICE_PROGRAM}/agent/dist/platform/darwin/fake-mac-program.js`])
      .waitFor(/^ready$/m);
    return device;
  } catch (error) {
    await device.dispose();
    throw error;
  }
}
