import type { AccountJson, DeviceJson, PlatformJson } from '../src/gen/api.js';
import type { World } from './world.js';

type Row = readonly [
  name: string,
  platform: PlatformJson,
  release: string,
  people: readonly string[],
  labels: Readonly<Record<string, string>>,
  more?: DeviceJson,
];

const PRODUCTION = { env: 'production', site: 'berlin' } as const;

const DEVICES: readonly Row[] = [
  ['web-1', 'PLATFORM_LINUX', 'Debian GNU/Linux 12', ['alice', 'carol', 'dave'], PRODUCTION],
  ['web-2', 'PLATFORM_LINUX', 'Debian GNU/Linux 12', ['alice', 'carol', 'dave'], PRODUCTION],
  ['db-1', 'PLATFORM_LINUX', 'Debian GNU/Linux 12', ['alice', 'dave'], PRODUCTION],
  ['build-1', 'PLATFORM_LINUX', 'Ubuntu 24.04.3 LTS', ['alice', 'bob', 'carol'], { env: 'ci' }],
  ['laptop-carol', 'PLATFORM_LINUX', 'Fedora Linux 43', ['carol'], { kind: 'laptop' }],
  ['mac-frank', 'PLATFORM_DARWIN', 'macOS 26.1', ['frank'], { kind: 'laptop' }],
  ['win-7f3a', 'PLATFORM_WINDOWS', 'Windows 11 Pro 24H2', ['bob', 'frank'], { kind: 'laptop' }],
  ['kiosk-3', 'PLATFORM_LINUX', 'Debian GNU/Linux 12', ['frank'], { site: 'lobby' }, { online: false }],
  ['edge-9', 'PLATFORM_LINUX', 'Debian GNU/Linux 12', ['carol', 'dave'], PRODUCTION, { online: false }],
  [
    'lab-4',
    'PLATFORM_LINUX',
    'Debian GNU/Linux 12',
    ['alice'],
    { env: 'lab' },
    { state: 'DEVICE_STATE_IDENTITY_CONFLICT', findings: ['Two agents use the identity of this device.'] },
  ],
  [
    'old-2',
    'PLATFORM_LINUX',
    'Debian GNU/Linux 11',
    ['alice'],
    {},
    { findings: ['The installed sudo does not know NOTAFTER; the independent remover alone ends rights there.'] },
  ],
];

const account = (name: string, uid: number): AccountJson => ({
  name,
  uid,
  fingerprint: 'ab'.repeat(32),
  ...(name === 'root' ? { standingAdmin: true, ineligibleReason: 'it is an administrator already' } : {}),
});

/** Puts the devices, and the people's accounts on them. */
export function seedDevices(world: World): void {
  for (const [index, [name, platform, release, people, labels, more]] of DEVICES.entries()) {
    const device = world.putDevice({
      id: world.id('device'),
      name,
      state: 'DEVICE_STATE_ENROLLED',
      online: true,
      lastSeenTime: world.time(more?.online === false ? -(index + 4) * 120_000 : -2_000),
      enrolledTime: world.time(-(50 - index) * 86_400_000),
      generation: '42',
      appliedGeneration: '42',
      labels,
      accounts: [account('root', 0), ...people.map((person, at) => account(person, 1000 + at))],
      facts: {
        hostname: name,
        platform,
        osRelease: release,
        kernel: platform === 'PLATFORM_LINUX' ? '6.1.0-28-amd64' : '25.1.0',
        architecture: platform === 'PLATFORM_DARWIN' ? 'arm64' : 'x64',
        agentVersion: '0.1.0',
        sudoVersion: platform === 'PLATFORM_WINDOWS' ? '' : 'Sudo version 1.9.13p3',
        sudoEnforcesEnd: platform === 'PLATFORM_LINUX' && name !== 'old-2',
        independentRemover: platform === 'PLATFORM_LINUX' ? 'systemd-timer' : 'watchdog-process',
        model: 'Example Machine',
        grantKinds: ['GRANT_KIND_SUDO_RULE', 'GRANT_KIND_GROUP_MEMBERSHIP'],
      },
      ...more,
    });
    for (const person of people) {
      const user = [...world.users.values()].find((one) => one.name === person);
      if (user === undefined) continue;
      const link = {
        deviceId: device.id ?? '',
        deviceName: name,
        accountName: person,
        uid: 1000 + people.indexOf(person),
        linkedBy: 'by name',
      };
      world.users.set(user.id ?? '', { ...user, accounts: [...(user.accounts ?? []), link] });
    }
  }
  world.joinTokens.set('seed', {
    id: world.id('joinToken'),
    uses: 25,
    usesLeft: 14,
    createTime: world.time(-3_000_000),
    expireTime: world.time(6 * 86_400_000),
    createdBy: 'alice',
  });
}
