import { ConnectorError } from '../connector.js';
import type { PostgresqlConnection } from './postgresql-connection.js';
import { lacksPrivilege } from './postgresql-errors.js';
import type { Role } from './postgresql-roles.js';

/** How long one connection is waited for that has been told to end, ms. */
const END_LIMIT_MS = 5_000;

/**
 * Ends every connection of a role. A REVOKE takes what was inherited from the next statement on; but a connection that
 * did SET ROLE keeps that role until it ends. Errors: ConnectorError 'refused' when Curfew may not, 'unreachable' when
 * some are still there.
 */
export async function endConnections(connection: PostgresqlConnection, role: Role): Promise<void> {
  const open = await connection.query<{ pid: number }>(
    'select pid from pg_stat_activity where usesysid = $1::oid and pid <> pg_backend_pid()',
    [role.oid],
  );
  if (open.length === 0) return;
  const pids = open.map(({ pid }) => pid);
  try {
    // All are told first; only then is each waited for.
    await connection.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [pids]);
    await connection.query('select pg_terminate_backend(pid, $2) from unnest($1::int[]) pid', [pids, END_LIMIT_MS]);
  } catch (error) {
    if (!lacksPrivilege(error)) throw error;
    const message =
      `'${role.name}' does not have the role any more, but may still use it in connections that are open, ` +
      `and '${connection.user}' may not end those: it needs pg_signal_backend`;
    throw new ConnectorError('refused', message, undefined, { cause: error });
  }
  const left = await connection.query(
    'select pid from pg_stat_activity where usesysid = $1::oid and pid = any($2::int[])',
    [role.oid, pids],
  );
  if (left.length === 0) return;
  throw new ConnectorError('unreachable', `${left.length} connections of '${role.name}' have not ended yet`);
}
