import type { RoleNaming } from './postgresql-roles.js';

/** The role that is given, and how. */
export interface PostgresqlResource {
  readonly role: string;
  readonly naming: RoleNaming;
  readonly endsConnections: boolean;
  /** Whether the person may become the role by SET ROLE. Only since version 16 can that be forbidden. */
  readonly allowsSetRole: boolean;
  /** Whether a role may be given whose rights reach beyond a database. */
  readonly allowsPowerful: boolean;
  readonly isEncrypted: boolean;
}

/** The first version that can grant a role without SET ROLE. */
export const SET_OPTION_SINCE = 160_000;
