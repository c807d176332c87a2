import type { Clock, Logger } from '@curfew/shared';
import type { AccountDirectory } from '../ports/account-directory.js';
import type { PrivilegeHost } from '../ports/privilege-host.js';
import type { StateFile } from '../ports/state-file.js';

/** What a holder works with. */
export interface HolderParts {
  readonly host: PrivilegeHost;
  readonly stateFile: StateFile;
  readonly accounts: AccountDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bootId: string;
  readonly deviceKeyHash: string;
  /** Unset while it is not known who this device is. */
  readonly deviceId?: string | undefined;
}
