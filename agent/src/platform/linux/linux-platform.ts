import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import type { Platform, PlatformParts } from '../platform.js';
import { BootSweep } from './boot-sweep.js';
import { EtcAccounts } from './etc-accounts.js';
import { execFileRunner } from './exec-file-runner.js';
import { GroupDatabase } from './group-database.js';
import { GroupHost } from './group-host.js';
import { LinuxHost } from './linux-host.js';
import { linuxMachine } from './linux-machine.js';
import { LinuxMessenger } from './linux-messenger.js';
import { LinuxSelftest } from './linux-selftest.js';
import { MembershipMarks } from './membership-marks.js';
import { peerCredentials } from './peer-credentials.js';
import { SudoersHost } from './sudoers-host.js';
import { SystemdRemover, systemdRuns } from './systemd-remover.js';
import { LinuxService } from './linux-service.js';
import { WatchdogRemover } from './watchdog-remover.js';

/** Puts the adapters of a Linux machine together. */
export function linuxPlatform({ runtimeDir, stateDir, mark, clock, random }: PlatformParts): Platform {
  const runner = execFileRunner;
  const marks = new MembershipMarks(stateDir);
  const accounts = new EtcAccounts(runner, marks);
  const word = (): string => random.bytes(8).toString('hex');
  const withSystemd = systemdRuns();
  const host = new LinuxHost({
    sudoers: new SudoersHost({ runner, runtimeDir, dropIn: `/etc/sudoers.d/zz-${mark}` }),
    groups: new GroupHost({
      runner,
      accounts,
      groups: new GroupDatabase(),
      marks,
      bootSweep: new BootSweep(`${mark}-boot-sweep.service`, marks),
      bootId: () => linuxMachine.bootId(),
      systemdRuns: withSystemd,
      isInstalled,
    }),
    accounts,
    remover: withSystemd
      ? new SystemdRemover(runner, clock, word, mark)
      : new WatchdogRemover(path.join(runtimeDir, 'armed'), word),
  });
  const service = new LinuxService(process.env, { runner, clock, systemdRuns: withSystemd });
  const selftestMachine = new LinuxSelftest({ runner, accounts, random });
  const messenger = new LinuxMessenger({ runner });
  return { host, accounts, machine: linuxMachine, peerOf: peerCredentials, messenger, service, selftestMachine };
}

const isInstalled = (program: string): Promise<boolean> =>
  access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
