import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { recordingsDir } from '../../config/agent-paths.js';
import type { CommandRunner } from '../../ports/command-runner.js';
import { startDetached } from '../unix/detached-shell.js';
import { systemProgram } from '../unix/system-tools.js';

const SYSTEMD_RUN = systemProgram('systemd-run');

/** Runs the shell that follows as nobody's child. */
const ORPHAN = '/bin/sh -c "$@" &';

/** Starts the follower again when it has ended, until its folder is gone. $1 that folder, then what to run. */
const KEEPER = `
folder=$1
shift
while [ -d "$folder" ]; do
  echo $$ > "$folder/keeper"
  "$@"
  sleep 1
done`;

/** What the follower may do beside what every process may: it signals, looks into and moves the processes of everybody. */
const HARDENING = [
  'Restart=on-failure',
  'RestartSec=200ms',
  'StartLimitIntervalSec=0',
  'DefaultDependencies=no',
  'UMask=0077',
  'LimitCORE=0',
  'OOMScoreAdjust=-900',
  'ProtectSystem=strict',
  'PrivateTmp=yes',
  'ProtectClock=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'LockPersonality=yes',
  'NoNewPrivileges=yes',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET',
  'CapabilityBoundingSet=CAP_KILL CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_NET_BIND_SERVICE',
];

export interface ProcessFollowerParts {
  readonly runner: CommandRunner;
  readonly systemdRuns: boolean;
  /** The name of its unit. */
  readonly unit: string;
  /** The folder that it shares with the agent. */
  readonly folder: string;
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** How much room recordings may take, as CURFEW_RECORDING_LIMIT says it. */
  readonly recordingLimit: number;
  /** What runs this program, up to the name of its command. */
  readonly program: readonly string[];
}

/** The program that follows sessions' processes, apart from the agent: whoever ends or starts the agent anew ends nobody's shell. */
export class ProcessFollower {
  constructor(private readonly parts: ProcessFollowerParts) {}

  /** Sees that it runs; does nothing when it does. Errors: it cannot be started. */
  async ensure(): Promise<void> {
    const { runner, systemdRuns, unit, folder, runtimeDir, stateDir, recordingLimit, program } = this.parts;
    const recordings = recordingsDir(this.parts);
    await mkdir(recordings, { recursive: true, mode: 0o700 });
    const environment = {
      CURFEW_RUNTIME_DIR: runtimeDir,
      CURFEW_STATE_DIR: stateDir,
      CURFEW_RECORDING_LIMIT: `${Math.floor(recordingLimit / 1024)}KiB`,
    };
    const command = [...program, 'follow'];
    if (!systemdRuns) {
      if (!(await keeperRuns(folder)))
        await startDetached(['-c', ORPHAN, 'curfew', KEEPER, 'curfew-follower', folder, ...command], environment);
      return;
    }
    const set = Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`);
    // Homes are nobody's business, but an agent that was started from a checkout may keep its things in one.
    const home = /^\/(home|root|run\/user)\//.test(stateDir) ? 'read-only' : 'yes';
    const paths = `ReadWritePaths=${folder} ${recordings} /sys/fs/cgroup`;
    const properties = [...HARDENING, `ProtectHome=${home}`, paths];
    const { exitCode, stderr } = await runner.run(SYSTEMD_RUN, [
      `--unit=${unit}`,
      '--description=Curfew: follows the processes of sessions',
      '--collect',
      '--no-block',
      ...set,
      ...properties.map((property) => `--property=${property}`),
      '--',
      ...command,
    ]);
    if (exitCode !== 0 && !/already (loaded|exists)|has a fragment file/.test(stderr)) throw new Error(stderr.trim());
  }
}

/** Whether the shell that the last follower was started by is still there: it is known by its arguments. */
async function keeperRuns(folder: string): Promise<boolean> {
  const pid = (await readFile(path.join(folder, 'keeper'), 'utf8').catch(() => '')).trim();
  if (!/^\d+$/.test(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.includes(`\0curfew-follower\0${folder}\0`);
}
