import { accessSync, constants, existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { cgroupHierarchy } from './device-cgroup.js';
import { whyNoPostgres, type PostgresVersion } from './postgres-server.js';

/** What a suite may need of the machine that it runs on. Programs are looked up in the places of the system. */
export type MachineNeed =
  | 'devices'
  | 'systemd devices'
  | 'control groups of version 1'
  | 'process ids counted by namespace'
  | { readonly postgres: PostgresVersion }
  | { readonly program: string }
  | { readonly file: string };

/** What a device is made with. */
const DEVICE_PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'ip', 'bash', 'sudo', 'visudo', 'useradd'];

const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

function isInstalled(program: string): boolean {
  return PLACES.some((place) => {
    try {
      accessSync(resolve(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

let deviceProblem: string | undefined;

/** Why devices cannot be made here, '' when they can: found out by trying, once. */
function whyNoDevices(): string {
  deviceProblem ??= ((): string => {
    if (process.platform !== 'linux') return 'devices need Linux';
    if (process.getuid?.() !== 0) return 'devices need root';
    const missing = DEVICE_PROGRAMS.filter((program) => !isInstalled(program));
    if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
    const script =
      'mount -t tmpfs tmpfs /run && mkdir /run/u /run/w && ' +
      'mount -t overlay o -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc && ip link add cfw type veth';
    const tried = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', '--mount-proc', 'bash', '-c', script], {
      encoding: 'utf8',
      // Against hanging alone: a suite is not left out because the machine is busy.
      timeout: 60_000,
    });
    return tried.status === 0 ? '' : `this kernel or container allows no namespaces: ${tried.stderr.trim()}`;
  })();
  return deviceProblem;
}

/** Why devices with systemd cannot be made here, '' when they can. */
function whyNoSystemdDevices(): string {
  const problem = whyNoDevices();
  if (problem !== '') return problem;
  const missing = ['systemctl', 'systemd-run'].filter((program) => !isInstalled(program));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  const hierarchy = cgroupHierarchy();
  if (hierarchy === undefined) return 'no unified control group hierarchy is mounted';
  try {
    accessSync(join(hierarchy, 'cgroup.procs'), constants.W_OK);
    return '';
  } catch {
    return `${hierarchy} cannot be written to`;
  }
}

/** Before Linux 6.14 there was one `pid_max` for the whole machine: a device that lowers its own would lower that of all. */
function whyNoOwnPidMax(): string {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 14) ? '' : `Linux ${release()} has one pid_max for the whole machine`;
}

/** Why this machine cannot run a suite with these needs; '' when it can. */
export function whyNot(needs: readonly MachineNeed[]): string {
  return needs
    .map((need) => {
      if (need === 'devices') return whyNoDevices();
      if (need === 'systemd devices') return whyNoSystemdDevices();
      if (need === 'control groups of version 1')
        return cgroupHierarchy(1) === undefined ? 'no hierarchy of version 1 counts processes' : '';
      if (need === 'process ids counted by namespace') return whyNoOwnPidMax();
      if ('postgres' in need) return whyNoPostgres(need.postgres);
      const [what, there] =
        'file' in need ? [need.file, existsSync(need.file)] : [need.program, isInstalled(need.program)];
      return there ? '' : `not installed: ${what}`;
    })
    .filter(Boolean)
    .join('; ');
}

/** `describe` for a suite that not every machine can run: where it cannot, the report names the suite and the reason. */
export function describeOn(needs: readonly MachineNeed[], title: string, body: (this: Mocha.Suite) => void): void {
  const reason = whyNot(needs);
  if (reason === '') describe(title, body);
  else describe(title, () => void it(`left out: ${reason}`));
}
