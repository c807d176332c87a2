import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { CommandRunner } from '../../ports/command-runner.js';
import type { PrivilegeHost } from '../../ports/privilege-host.js';
import { ProcessFolder } from '../../processes/process-folder.js';
import type { PlatformParts } from '../platform.js';
import { AdminRules } from './admin-rules.js';
import type { BootSweep, SweepJob } from './boot-sweep.js';
import { DesktopPrompts } from './desktop-prompts.js';
import { DoasHost } from './doas-host.js';
import { EtcAccounts } from './etc-accounts.js';
import { GroupDatabase } from './group-database.js';
import { GroupHost } from './group-host.js';
import { UnixHost } from '../unix/unix-host.js';
import { linuxMachine } from './linux-machine.js';
import { linuxProcessTable } from './linux-process-table.js';
import { Labels } from '../unix/labels.js';
import { MembershipMarks } from '../unix/membership-marks.js';
import { MEMBERSHIP_REMOVAL } from './membership-removal.js';
import { NameServices } from './name-services.js';
import { OpenrcSweep, openrcRuns } from './openrc-sweep.js';
import { SudoRules } from './sudo-rules.js';
import { SudoersHost } from '../unix/sudoers-host.js';
import { SystemdRemover, systemdRuns } from './systemd-remover.js';
import { SystemdSweep } from './systemd-sweep.js';
import { systemTool } from '../unix/system-tools.js';
import { WatchdogRemover } from '../unix/watchdog-remover.js';

/** What gives rights on a Linux machine, and who may have them. */
export interface LinuxRights {
  readonly host: PrivilegeHost;
  readonly accounts: EtcAccounts;
  readonly marks: MembershipMarks;
  readonly folder: ProcessFolder;
  /** Whether a file outside of the agent's own folders is what the host has put there. */
  readonly owns: (file: string) => Promise<boolean>;
}

/** Puts together what gives rights on this machine. */
export function linuxRights(
  { runtimeDir, stateDir, mark, clock, random }: PlatformParts,
  runner: CommandRunner,
): LinuxRights {
  const tools = systemTool;
  const marks = new MembershipMarks(stateDir, MEMBERSHIP_REMOVAL);
  const rules = new AdminRules({ runner, tools, ownFolder: path.join(runtimeDir, 'sudoers.d') });
  const accounts = new EtcAccounts(new NameServices({ runner, tools }), rules, marks);
  const word = (): string => random.bytes(8).toString('hex');
  const labels = new Labels({ runner, tools });
  const bootSweep = bootSweepOf(`${mark}-boot-sweep`, labels, {
    what: 'temporary group memberships',
    script: marks.script,
    args: ['other-boots', marks.folder],
  });
  const doasFile = doasRulesFile(tools('doas'), mark);
  const doasScript = path.join(stateDir, 'doas-rules.sh');
  const doasSweep = bootSweepOf(`${mark}-doas-sweep`, labels, {
    what: 'temporary rules of doas',
    script: doasScript,
    args: ['other-boots', doasFile, mark],
  });
  const prompts = new DesktopPrompts({ runtimeDir, mark, labels });
  const folder = new ProcessFolder(path.join(runtimeDir, 'processes'));
  // The sessions of a selftest run one command, and wait for it.
  const followed = mark === 'curfew' ? folder : undefined;
  const host = new UnixHost({
    rules: new SudoRules(
      new SudoersHost({ runner, tools, labels, runtimeDir, dropIn: `/etc/sudoers.d/zz-${mark}`, processes: followed }),
      new DoasHost({
        runner,
        tools,
        mark,
        file: doasFile,
        runtimeDir,
        script: doasScript,
        bootSweep: doasSweep,
        bootId: () => linuxMachine.bootId(),
      }),
      tools,
      prompts,
    ),
    groups: new GroupHost({
      runner,
      tools,
      accounts,
      ruleGroups: async () => (await rules.subjects()).groups,
      groups: new GroupDatabase(),
      marks,
      bootSweep,
      bootId: () => linuxMachine.bootId(),
    }),
    accounts,
    remover: systemdRuns()
      ? new SystemdRemover(runner, clock, word, mark)
      : new WatchdogRemover(path.join(runtimeDir, 'armed'), word),
    processes: followed === undefined ? undefined : { folder, ticksNow: () => linuxProcessTable.ticksNow() },
  });
  const sweeps = [bootSweep, doasSweep, prompts].filter((sweep) => sweep !== undefined);
  const owns = async (file: string): Promise<boolean> =>
    (await Promise.all(sweeps.map((sweep) => sweep.owns(file)))).includes(true);
  return { host, accounts, marks, folder, owns };
}

/** What runs at the next boot, by the init that runs now; undefined for one that is not known. */
function bootSweepOf(name: string, labels: Labels, job: SweepJob): BootSweep | undefined {
  if (systemdRuns()) return new SystemdSweep(name, job, labels);
  return openrcRuns() ? new OpenrcSweep(name, job) : undefined;
}

/** Alpine's doas reads a folder beside doas.conf, which others do not; only its program tells. */
function doasRulesFile(doas: string | undefined, mark: string): string {
  const program = doas === undefined ? '' : readFileSync(doas, 'latin1');
  return program.includes('/etc/doas.d') ? `/etc/doas.d/zz-${mark}.conf` : '/etc/doas.conf';
}
