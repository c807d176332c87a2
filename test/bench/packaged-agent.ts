import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { SECOND } from '@curfew/shared';
import { ControlPlane } from '../support/control-plane.js';
import { PackagedDevice } from '../support/packaged-device.js';
import { BuiltPackages } from '../support/packages.js';
import { single, type Figure, type Outcome } from './outcome.js';
import type { BenchSettings } from './settings.js';
import { useFigures, watchedUse, type Use } from './use-of-processes.js';

/** Agents that Debian packages, each on every device of a fleet: one in C, two in Go with its runtime inside; their units. */
const PEERS = {
  'zabbix-agent': 'zabbix-agent',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  'zabbix-agent2': 'zabbix-agent2',
} as const;
const MIB = 1024 * 1024;
const SETTLED_MS = 20 * SECOND;

/**
 * B6b: the agent as a package: how large it is, packed as it is shipped and on disk; how long from the start of its unit until
 * it has a link; what it takes while nothing happens, and in a session. Beside other agents, which run on the same device.
 */
export async function packagedAgent(settings: BenchSettings): Promise<Outcome> {
  const packages = new BuiltPackages();
  try {
    const deb = await packages.make({ format: 'deb', program: 'agent', version: '0.1.0' });
    const packed = await packages.make({ format: 'deb', program: 'agent', version: '0.1.0', compression: 'xz' });
    const installedKib = Number(execFileSync('dpkg-deb', ['--field', deb, 'Installed-Size'], { encoding: 'utf8' }));
    return {
      ratios: [],
      figures: [
        single('package, as it is shipped', 1, 'MiB', [statSync(packed).size / MIB]),
        single('installed', 1, 'MiB', [installedKib / 1024]),
        ...Object.keys(PEERS).flatMap(peerSizes),
        ...(await inUse(deb, settings)),
      ],
    };
  } finally {
    packages.dispose();
  }
}

/** The agent of a fresh device: its starts, and what it takes at rest, without and with a session. */
async function inUse(deb: string, { runs, restMinutes }: BenchSettings): Promise<Figure[]> {
  const plane = await ControlPlane.start();
  const device = await PackagedDevice.start('packaged', [{ name: 'alice' }], 'bookworm', Object.keys(PEERS));
  try {
    await device.install(deb, await device.joinEnv(plane));
    await device.untilLinked();
    const starts: number[] = [];
    for (let round = 0; round < runs; round += 1) {
      await device.device.must(['systemctl', 'stop', 'curfew-agent'], { timeoutMs: 60_000 });
      const began = Date.now();
      await device.device.must(['systemctl', 'start', 'curfew-agent'], { timeoutMs: 60_000 });
      await device.untilLinked();
      starts.push((await linkUp(device)) - began);
    }
    // The two of Zabbix would take the same port.
    await device.device.must(['tee', '/etc/zabbix/zabbix_agent2.d/port.conf'], { stdin: 'ListenPort=10060\n' });
    await device.device.must(['systemctl', 'start', ...Object.values(PEERS)], { timeoutMs: 60_000 });
    await pause(SETTLED_MS);
    const units = Object.values(PEERS).map((unit) => [unit, unit] as const);
    const idle = await unitsUse(device, [...OURS, ...units], restMinutes);
    await plane.json('users', 'create', 'alice', '--role', 'user');
    const give = ['--user', 'alice', '--device', 'packaged', '--for', '3h', '--reason', 'measured', '--wait'];
    await plane.json('sessions', 'grant', ...give);
    const held = await unitsUse(device, OURS, restMinutes);
    return [
      single('from the start of the unit until the first link', 1, 'ms', starts),
      ...idle.flatMap(([name, use]) => useFigures(`${name}, idle`, use)),
      ...held.flatMap(([name, use]) => useFigures(`${name}, with a session`, use)),
    ];
  } finally {
    await device.dispose();
    await plane.dispose();
  }
}

const OURS = [
  ['agent', 'curfew-agent'],
  ['follower', 'curfew-follower'],
] as const;

/** What the units of a device take, each by a name. */
async function unitsUse(
  { device }: PackagedDevice,
  units: readonly (readonly [string, string])[],
  minutes: number,
): Promise<(readonly [string, Use])[]> {
  const watched = units.map(async ([name, unit]) => {
    const group = await device.must(['systemctl', 'show', '--value', '--property=ControlGroup', unit]);
    // Read from outside, it has the machine's ids.
    const pids = (): string[] =>
      readFileSync(`${device.root}/sys/fs/cgroup${group}/cgroup.procs`, 'utf8').trim().split('\n');
    if (pids()[0] === '') throw new Error(`${unit} does not run`);
    return [name, await watchedUse(pids, minutes)] as const;
  });
  return Promise.all(watched);
}

/** When the agent's newest link came up, by its own log. */
async function linkUp(device: PackagedDevice): Promise<number> {
  const log = await device.device.must(['journalctl', '-u', 'curfew-agent', '-o', 'cat', '-n', '20']);
  const line = log.split('\n').findLast((one) => one.includes('"message":"link up"')) ?? '{}';
  return Date.parse((JSON.parse(line) as { timestamp?: string }).timestamp ?? '');
}

/** What a package of Debian's and those that come with it for it alone say of their sizes; nothing where it is not listed. */
function peerSizes(name: string): Figure[] {
  const { stdout } = spawnSync('apt-cache', ['show', '--no-all-versions', name], { encoding: 'utf8' });
  const [, size] = /^Size: (\d+)$/m.exec(stdout) ?? [];
  const [, installed] = /^Installed-Size: (\d+)$/m.exec(stdout) ?? [];
  if (size === undefined || installed === undefined) return [];
  return [
    single(`${name}: package`, 1, 'MiB', [Number(size) / MIB]),
    single(`${name}: installed`, 1, 'MiB', [Number(installed) / 1024]),
  ];
}
