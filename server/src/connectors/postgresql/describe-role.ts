import type { ResourceDescription } from '../connector.js';
import type { PostgresqlConnection } from './postgresql-connection.js';
import { SET_OPTION_SINCE, type PostgresqlResource } from './postgresql-resource.js';
import { membersOf, type Role } from './postgresql-roles.js';

/** What Curfew's own role may do. */
interface OwnRights {
  readonly isSuper: boolean;
  readonly mayGrant: boolean;
  readonly maySignal: boolean;
}

// Before version 16, CREATEROLE grants every role but those of superusers.
const OWN_RIGHTS = `
  select rolsuper as "isSuper",
         (rolsuper or pg_has_role(oid, $1::oid, 'MEMBER WITH ADMIN OPTION')
          or (rolcreaterole and $2::int < ${SET_OPTION_SINCE})) as "mayGrant",
         (rolsuper or pg_has_role(oid, 'pg_signal_backend', 'USAGE')) as "maySignal"
  from pg_roles where rolname = current_user`;

/** A role in a line, and what an admin should know of it. */
export async function describeRole(
  connection: PostgresqlConnection,
  role: Role,
  resource: PostgresqlResource,
): Promise<ResourceDescription> {
  const members = await membersOf(connection, role);
  const [rights] = await connection.query<OwnRights>(OWN_RIGHTS, [role.oid, connection.version]);
  const { user, release } = connection;
  const findings: readonly [boolean, string][] = [
    [rights?.mayGrant !== true, `'${user}' may not grant '${role.name}': it needs that role WITH ADMIN OPTION.`],
    [rights?.isSuper === true, `'${user}' is a superuser, which is more than Curfew needs.`],
    [
      resource.endsConnections && rights?.maySignal !== true,
      `'${user}' may not end the connections of people: it needs pg_signal_backend.`,
    ],
    [
      !resource.endsConnections,
      'Connections that are open at the end are kept: one that did SET ROLE keeps the rights of the role until it ends.',
    ],
    [
      role.isPowerful && !resource.allowsPowerful,
      `'${role.name}' reaches beyond a database, and will not be given unless the resource allows that.`,
    ],
    [
      !resource.allowsSetRole && connection.version < SET_OPTION_SINCE,
      `PostgreSQL ${release} cannot grant a role without SET ROLE, so nothing will be given.`,
    ],
    [!resource.isEncrypted, 'The connection is not encrypted.'],
  ];
  return {
    text: `role '${role.name}' with ${members.length} members (PostgreSQL ${release})`,
    findings: findings.filter(([holds]) => holds).map(([, text]) => text),
  };
}
