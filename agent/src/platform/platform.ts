import type { Clock, Random } from '@curfew/shared';
import type { PeerOf } from '../local/socket-gate.js';
import type { WatchedAccounts } from '../ports/account-directory.js';
import type { Machine } from '../ports/machine.js';
import type { PersonMessenger } from '../ports/person-messenger.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { SelftestMachine } from '../ports/selftest-machine.js';
import type { ServiceManager } from '../ports/service-manager.js';

/** Everything that differs from one operating system to the next. */
export interface Platform {
  readonly host: PrivilegeHost;
  readonly accounts: WatchedAccounts;
  readonly machine: Machine;
  readonly peerOf: PeerOf;
  readonly messenger: PersonMessenger;
  readonly service: ServiceManager;
  readonly selftestMachine: SelftestMachine;
}

/** Where an agent keeps things, and the name by which its own are known on the machine. */
export interface PlatformParts {
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** Part of the names of what is installed outside these folders: another name, another agent on the machine. */
  readonly mark: 'curfew' | 'curfew-selftest';
  readonly clock: Clock;
  readonly random: Random;
}
