import path from 'node:path';
import { UnixDoor } from '../../local/unix-door.js';
import type { Platform, PlatformParts } from '../platform.js';
import { execFileRunner } from '../unix/exec-file-runner.js';
import { linuxMachine } from './linux-machine.js';
import { LinuxLastingPower } from './lasting-power/linux-lasting-power.js';
import { LinuxMessenger } from './linux-messenger.js';
import { linuxProcessTable } from './linux-process-table.js';
import { LinuxSessionCgroups } from './linux-session-cgroups.js';
import { LinuxSelftest } from './linux-selftest.js';
import { peerCredentials } from './peer-credentials.js';
import { ProcessFollower } from './process-follower.js';
import { linuxRights } from './linux-rights.js';
import { isRemoverUnit, systemdRuns } from './systemd-remover.js';
import { MadeVersions } from '../../updates/made-versions.js';
import { systemTool } from '../unix/system-tools.js';
import { sudoPeer } from './tcp-peer.js';
import { LinuxService } from './linux-service.js';

/** Where a machine keeps how the agent is started. */
const SERVICE_FILES = ['etc', 'usr/lib', 'lib', 'run']
  .map((folder) => `/${folder}/systemd/system/curfew-agent.service`)
  .flatMap((unit) => [unit, `${unit}.d`]);

/** What decides how the agent runs, and whose releases it takes. */
const SETTINGS = ['/etc/curfew/agent.env', '/etc/curfew/release-keys.json'];

/** Puts the adapters of a Linux machine together. */
export function linuxPlatform(parts: PlatformParts): Platform {
  const { runtimeDir, stateDir, mark, clock, random, program } = parts;
  const runner = execFileRunner;
  const { host, accounts, marks, folder, owns } = linuxRights(parts, runner);
  const withSystemd = systemdRuns();
  const versionsDir = path.join(stateDir, 'versions');
  const made = new MadeVersions(versionsDir);
  const power = new LinuxLastingPower({
    runner,
    marks,
    clock,
    searched: parts.searched,
    powerfulIds: () => accounts.powerfulIds(),
    program: [...watchedProgram(program), ...SERVICE_FILES, ...SETTINGS, versionsDir],
    aside: path.join(stateDir, 'undone'),
    isOwn: async (file, sessionIds) =>
      file === `/run/systemd/transient/${mark}-follower.service` ||
      isRemoverUnit(file, mark, sessionIds) ||
      (await made.isOwn(file)) ||
      (await owns(file)),
  });
  const follower = new ProcessFollower({
    runner,
    systemdRuns: withSystemd,
    unit: `${mark}-follower`,
    folder: folder.folder,
    runtimeDir,
    stateDir,
    recordingLimit: parts.recordingLimit,
    program,
  });
  const processes = {
    folder,
    table: linuxProcessTable,
    cgroups: new LinuxSessionCgroups(),
    sudo: systemTool('sudo'),
    sudoPeer,
    // Without sudo there is nobody to greet.
    ensureFollower: () => (systemTool('sudo') === undefined ? Promise.resolve() : follower.ensure()),
  };
  const service = new LinuxService(process.env, { runner, clock, systemdRuns: withSystemd });
  const selftestMachine = new LinuxSelftest({ runner, accounts, random });
  const messenger = new LinuxMessenger({ runner });
  return {
    host,
    accounts,
    power,
    machine: linuxMachine,
    door: new UnixDoor(peerCredentials),
    messenger,
    service,
    selftestMachine,
    processes,
  };
}

/** A version that came from the server stands for the package's: what is watched does not change when another one runs. */
function watchedProgram(program: readonly string[]): string[] {
  const { CURFEW_PACKAGE: folder } = process.env;
  if (folder !== undefined)
    return [
      '/usr/bin/curfew-agent',
      ...['node', 'program', 'release-keys.json'].map((name) => path.join(folder, name)),
    ];
  return program.map((file) => (file.endsWith('.js') ? path.dirname(file) : file));
}
