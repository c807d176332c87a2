import type { InstantMs } from '@curfew/shared';
import pg from 'pg';
import type { ConnectionPool } from '../connection-pool.js';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import { endConnections } from './open-connections.js';
import type { PostgresqlConnection } from './postgresql-connection.js';
import { describeRole } from './describe-role.js';
import { SET_OPTION_SINCE, type PostgresqlResource } from './postgresql-resource.js';
import { findLogin, grantsOf, membersOf, roleSubject, subjectRole, targetRole, type Role } from './postgresql-roles.js';

/** A role of a PostgreSQL server. Whoever it was granted to directly has it; roles in roles are not looked at. */
export class PostgresqlConnector implements Connector {
  constructor(
    private readonly resource: PostgresqlResource,
    private readonly pool: ConnectionPool<PostgresqlConnection>,
  ) {}

  describe(signal: AbortSignal): Promise<ResourceDescription> {
    return this.work(signal, (connection, role) => describeRole(connection, role, this.resource));
  }

  findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    return this.work(signal, async (connection) => {
      const login = await findLogin(connection, this.resource.naming, person);
      return login === undefined ? undefined : roleSubject(login);
    });
  }

  has(subject: Subject, signal: AbortSignal): Promise<boolean> {
    return this.work(signal, async (connection, role) => {
      const login = await subjectRole(connection, subject);
      return login !== undefined && (await grantsOf(connection, role, login)).length > 0;
    });
  }

  /**
   * `_until` is not told to the server: it knows no membership that ends by itself. VALID UNTIL is the end of a person's
   * password, for everything that they do there, and is not touched.
   */
  add(subject: Subject, _until: InstantMs, signal: AbortSignal): Promise<void> {
    return this.work(signal, async (connection, role) => {
      const login = await subjectRole(connection, subject);
      if (login === undefined)
        throw new ConnectorError('refused', `the server has no role '${subject.label}' any more`);
      this.checkTarget(connection, role);
      const options = this.resource.allowsSetRole ? '' : ' WITH INHERIT TRUE, SET FALSE';
      await connection.query(`GRANT ${pg.escapeIdentifier(role.name)} TO ${pg.escapeIdentifier(login.name)}${options}`);
      if ((await grantsOf(connection, role, login)).length > 0) return;
      throw new ConnectorError(
        'refused',
        `the server took the grant, and '${login.name}' does not have '${role.name}'`,
      );
    });
  }

  remove(subject: Subject, signal: AbortSignal): Promise<void> {
    return this.work(signal, async (connection, role) => {
      const login = await subjectRole(connection, subject);
      if (login === undefined) return;
      if ((await grantsOf(connection, role, login)).length > 0) await revoke(connection, role, login);
      // Also when the grant was gone already: an earlier call may have got no further than that.
      if (this.resource.endsConnections) await endConnections(connection, login);
    });
  }

  members(signal: AbortSignal): Promise<readonly Subject[]> {
    return this.work(signal, async (connection, role) => (await membersOf(connection, role)).map(roleSubject));
  }

  close(): Promise<void> {
    this.pool.close();
    return Promise.resolve();
  }

  private work<T>(signal: AbortSignal, work: (connection: PostgresqlConnection, role: Role) => Promise<T>): Promise<T> {
    return this.pool.use(signal, async (connection) =>
      work(connection, await targetRole(connection, this.resource.role)),
    );
  }

  private checkTarget(connection: PostgresqlConnection, role: Role): void {
    if (role.isPowerful && !this.resource.allowsPowerful) {
      throw new ConnectorError(
        'refused',
        `'${role.name}' reaches beyond a database, and this resource does not allow that`,
      );
    }
    if (!this.resource.allowsSetRole && connection.version < SET_OPTION_SINCE) {
      throw new ConnectorError('refused', `PostgreSQL ${connection.release} cannot grant a role without SET ROLE`);
    }
  }
}

/** Since version 16 a REVOKE takes only the grants of its own grantor; those of others are theirs to take. */
async function revoke(connection: PostgresqlConnection, role: Role, login: Role): Promise<void> {
  await connection.query(`REVOKE ${pg.escapeIdentifier(role.name)} FROM ${pg.escapeIdentifier(login.name)}`);
  const left = await grantsOf(connection, role, login);
  if (left.length === 0) return;
  const grantors = left.map(({ grantor }) => `'${grantor}'`).join(' and ');
  throw new ConnectorError(
    'refused',
    `'${login.name}' still has '${role.name}' by a grant of ${grantors}, who must revoke it`,
  );
}
