import type { Clock, Random } from '@curfew/shared';
import type { WatchedAccounts } from '../ports/account-directory.js';
import type { LastingPower } from '../ports/lasting-power.js';
import type { LocalDoor } from '../ports/local-door.js';
import type { Machine } from '../ports/machine.js';
import type { PersonMessenger } from '../ports/person-messenger.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { SelftestMachine } from '../ports/selftest-machine.js';
import type { ProcessTable, SessionCgroups } from '../ports/process-table.js';
import type { ServiceManager } from '../ports/service-manager.js';
import type { SudoPeer } from '../processes/sudo-receiver.js';
import type { ProcessFolder } from '../processes/process-folder.js';

/** Every local file system, or some folders with the file system that each is on; none: nothing is searched. */
export type SearchedPlaces = 'all' | readonly string[];

/** Everything that differs from one operating system to the next. */
export interface Platform {
  readonly host: PrivilegeHost;
  readonly accounts: WatchedAccounts;
  readonly power: LastingPower;
  readonly machine: Machine;
  readonly door: LocalDoor;
  readonly messenger: PersonMessenger;
  readonly service: ServiceManager;
  readonly selftestMachine: SelftestMachine;
  /** undefined where a program of its own follows nothing: what the platform can do, its host then does by itself. */
  readonly processes: PlatformProcesses | undefined;
  /** What the independent remover runs, where it is this program: removes the right of a session, and ends what it leaves. */
  readonly removeAlone?: (sessionId: string) => Promise<void>;
}

/** What the processes of sessions are followed with. */
export interface PlatformProcesses {
  readonly folder: ProcessFolder;
  readonly table: ProcessTable;
  readonly cgroups: SessionCgroups;
  /** The machine's sudo, whose calls are followed; undefined where there is none. */
  readonly sudo: string | undefined;
  /** The sudo at the other end of a loopback connection; undefined when it is another program's. */
  readonly sudoPeer: (localPort: number, remotePort: number, sudo: string) => SudoPeer | undefined;
  /** Sees that the program that follows them runs. Errors: it cannot be started. */
  readonly ensureFollower: () => Promise<void>;
}

/** Where an agent keeps things, and the name by which its own are known on the machine. */
export interface PlatformParts {
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** Part of the names of what is installed outside these folders: another name, another agent on the machine. */
  readonly mark: 'curfew' | 'curfew-selftest';
  readonly clock: Clock;
  readonly random: Random;
  /** Where files that run with more rights than their callers have are searched for. */
  readonly searched: SearchedPlaces;
  /** How much room recordings may take on the disk, in bytes. */
  readonly recordingLimit: number;
  /** What runs this program, up to the name of its command. */
  readonly program: readonly string[];
}
