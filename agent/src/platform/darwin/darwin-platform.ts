import path from 'node:path';
import { UnixDoor } from '../../local/unix-door.js';
import type { PrivilegeHost } from '../../ports/privilege-host.js';
import type { CommandRunner } from '../../ports/command-runner.js';
import { noSelftest } from '../no-selftest.js';
import type { Platform, PlatformParts } from '../platform.js';
import { execFileRunner } from '../unix/exec-file-runner.js';
import { Labels } from '../unix/labels.js';
import { MembershipMarks } from '../unix/membership-marks.js';
import { SudoersHost } from '../unix/sudoers-host.js';
import { systemTool, type ToolPath } from '../unix/system-tools.js';
import { UPTIME, WatchdogRemover } from '../unix/watchdog-remover.js';
import { AdminGroupHost } from './admin-group-host.js';
import { GroupWatch } from './group-watch.js';
import { LaunchdService } from './launchd-service.js';
import { noLastingPower } from './no-lasting-power.js';
import { MacHost } from './mac-host.js';
import { MacAccounts } from './mac-accounts.js';
import { MAC_MEMBERSHIP_REMOVAL } from './mac-membership-removal.js';
import { MacMachine } from './mac-machine.js';
import { MacMessenger } from './mac-messenger.js';
import { OpenDirectory } from './open-directory.js';
import { macPeerOf, nativeSocketOption } from './peer-credentials.js';
import { Sweeper } from './sweeper.js';

/** What MDM puts in the place of /etc/sudoers comes first: Apple's sudo reads it instead (sudo's toke.c, copyMdmPath). */
const SUDOERS = ['/private/var/db/ManagedConfigurationFiles/com.apple.sudo/etc/sudoers', '/private/etc/sudoers'];
/** What of a Mac differs where its tools are not the system's own: in tests. */
export interface MacChange {
  readonly runner?: CommandRunner;
  readonly tools?: ToolPath;
  readonly sudoers?: readonly string[];
  readonly sudoersFolder?: string;
  /** Where accounts and groups of the Mac itself stand. */
  readonly localNode?: string;
  readonly readBoot?: () => string;
}

/** Puts the adapters of a Mac together. */
export function darwinPlatform(parts: PlatformParts, change: MacChange = {}): Platform {
  const { runtimeDir, stateDir, clock } = parts;
  const runner = change.runner ?? execFileRunner;
  const directory = new OpenDirectory(runner);
  const machine = new MacMachine(runner, change.readBoot);
  const marks = new MembershipMarks(stateDir, MAC_MEMBERSHIP_REMOVAL);
  const { localNode = '/var/db/dslocal/nodes/Default' } = change;
  const folders = ['users', 'groups'].map((folder) => path.join(localNode, folder));
  const accounts = new MacAccounts(directory, marks, folders);
  const sweeper = new Sweeper({ runner, runtimeDir, stateDir, marks, bootId: () => machine.bootId() });
  return {
    host: macHost(parts, change, { runner, directory, machine, marks, accounts, sweeper, groups: folders[1] ?? '' }),
    accounts,
    power: noLastingPower,
    machine,
    door: new UnixDoor(macPeerOf(nativeSocketOption())),
    messenger: new MacMessenger({ runner }),
    service: new LaunchdService({ runner, clock }),
    selftestMachine: noSelftest('it makes an account, which macOS lets nobody do without a token of an administrator'),
    processes: undefined,
  };
}

interface MacParts {
  readonly runner: CommandRunner;
  readonly directory: OpenDirectory;
  readonly machine: MacMachine;
  readonly marks: MembershipMarks;
  readonly accounts: MacAccounts;
  readonly sweeper: Sweeper;
  readonly groups: string;
}

function macHost(
  { runtimeDir, mark, clock, random }: PlatformParts,
  { tools = systemTool, sudoers = SUDOERS, sudoersFolder = '/private/etc/sudoers.d' }: MacChange,
  { runner, directory, machine, marks, accounts, sweeper, groups }: MacParts,
): PrivilegeHost {
  const rules = new SudoersHost({
    runner,
    tools,
    labels: new Labels({ runner, tools, isOn: () => false }),
    runtimeDir,
    dropIn: path.join(sudoersFolder, `zz-${mark}`),
    processes: undefined,
    mains: sudoers,
  });
  const bootId = (): string => machine.bootId();
  const watch = new GroupWatch(directory, clock, groups);
  return new MacHost(
    {
      rules,
      groups: new AdminGroupHost({ runner, directory, marks, watch, sweeper, bootId }),
      accounts,
      remover: new WatchdogRemover(
        path.join(runtimeDir, 'armed'),
        () => random.bytes(8).toString('hex'),
        UPTIME.darwin,
      ),
      processes: undefined,
    },
    sweeper,
  );
}
