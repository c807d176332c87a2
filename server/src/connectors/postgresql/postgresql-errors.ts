import pg from 'pg';
import { ConnectorError } from '../connector.js';
import { socketError } from '../guarded-socket.js';

/**
 * SQLSTATEs after which the same may well work later: connections, resources, shutdown and cancellation, locks, deadlocks
 * (PostgreSQL, appendix A).
 */
const LATER = /^(08|53|57|55P03|40)/;
const SIGN_IN = '28';
const NO_PRIVILEGE = '42501';

/** The SQLSTATE that a server answered with, also of an error that wraps it; undefined for other errors. */
function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  return error instanceof ConnectorError ? sqlState(error.cause) : undefined;
}

export const lacksPrivilege = (error: unknown): boolean => sqlState(error) === NO_PRIVILEGE;

/** What a server or the way to it did, as a ConnectorError. */
export function postgresqlError(error: unknown, where: string): ConnectorError {
  const state = sqlState(error);
  if (state === undefined || error instanceof ConnectorError) return socketError(error, where);
  const message = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (LATER.test(state)) return new ConnectorError('unreachable', `${where}: ${message}`, undefined, cause);
  const saying = state.startsWith(SIGN_IN) ? 'the server does not take this user and password' : 'the server refuses';
  return new ConnectorError('refused', `${saying}: ${message}`, undefined, cause);
}
