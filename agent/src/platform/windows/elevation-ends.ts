import type { LogonToken, ProcessToken } from './windows-api.js';

/** What is left of an account's power once it is no administrator any more. */
export interface LeftPower {
  /** Processes that go on as administrators: they keep the token that they have. */
  readonly processes: readonly ProcessToken[];
  /** Logons that began while it was one: in them a click makes it an administrator again, until it signs out. */
  readonly logons: readonly LogonToken[];
}

/**
 * What an account keeps after it has left the administrators' group. A token is made at logon and never changed. One that
 * was made before the membership holds no administrators' group, and is none of these.
 */
export const leftPower = (
  sid: string,
  processes: readonly ProcessToken[],
  logons: readonly LogonToken[],
): LeftPower => ({
  processes: processes.filter((process) => process.sid === sid && process.isElevated),
  logons: logons.filter((logon) => logon.sid === sid && logon.isAdministrator),
});
