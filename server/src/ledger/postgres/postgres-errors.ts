import { CurfewError } from '@curfew/shared';
import pg from 'pg';

/**
 * Whether PostgreSQL could not be asked, and may be later: it is away, starting, stopping, full, read-only, or it took
 * too long (postgresql.org/docs/current/errcodes-appendix.html). A program's mistake is none of these.
 */
const AWAY = /^(08|53|57|58|25006|25P03|55P03|28)/;

/** Errors of Node's sockets and of the client, which have no code of PostgreSQL's. */
const CLIENT = /^(E[A-Z_]+|ERR_[A-Z_]+|[A-Z]+_[A-Z_]+)$/;
const CLIENT_TEXT =
  /^(Connection terminated|timeout e|Query read timeout|Client has encountered a connection error|The server does not support SSL)/i;

/** Whether the ledger is out of reach. */
export function isAway(error: unknown): boolean {
  if (error instanceof CurfewError) return error.code === 'LEDGER_UNAVAILABLE';
  if (!(error instanceof Error)) return false;
  const code = (error as { code?: unknown }).code;
  if (error instanceof pg.DatabaseError) return AWAY.test(String(code));
  return CLIENT.test(String(code)) || CLIENT_TEXT.test(error.message);
}

/** Whether a connection was ended from the other side: by PostgreSQL as it goes down, or by the network. */
export function wasLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = String((error as { code?: unknown }).code);
  if (error instanceof pg.DatabaseError) return /^57P0[123]$/.test(code);
  return /^(ECONNRESET|EPIPE)$/.test(code) || /^(Connection terminated|Client has enc)/.test(error.message);
}

const READ_ONLY = '25006';

/** What PostgreSQL itself says of the first write in a transaction that takes none. */
export function readOnlyError(): Error {
  const error = new pg.DatabaseError('the transaction is read-only', 0, 'error');
  return Object.assign(error, { code: READ_ONLY });
}

/** Whether PostgreSQL answers but takes no writes: a standby, or a disk that is to be spared. */
export const isReadOnly = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === READ_ONLY;

/** What a caller is told; any other error stays what it is. */
export function ledgerError(error: unknown): unknown {
  if (error instanceof CurfewError || !isAway(error)) return error;
  const problem = isReadOnly(error) ? 'it takes no writes now (a standby, or set read-only)' : (error as Error).message;
  return new CurfewError('LEDGER_UNAVAILABLE', { problem }, { cause: error });
}
