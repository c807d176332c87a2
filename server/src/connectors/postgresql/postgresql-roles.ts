import { ConnectorError, type Person, type Subject } from '../connector.js';
import type { PostgresqlConnection } from './postgresql-connection.js';

/** A role as the server has it. */
export interface Role {
  /** Outlives a rename. */
  readonly oid: string;
  readonly name: string;
  readonly logsIn: boolean;
  /** Rights that membership hands on by SET ROLE, or that reach beyond the database. */
  readonly isPowerful: boolean;
}

/** One grant of a role to somebody. Since version 16 there may be several, each by another grantor. */
export interface Grant {
  readonly grantor: string;
}

// Names are compared as text: as values of the type name they would be cut to 63 bytes first.
const ROLE = `
  select oid::text, rolname::text as name, rolcanlogin as "logsIn",
         (rolsuper or rolreplication or rolbypassrls or rolcreaterole or rolname like 'pg\\_%') as "isPowerful"
  from pg_roles`;

/** The roles of these very names. */
const rolesNamed = (connection: PostgresqlConnection, names: readonly string[]): Promise<readonly Role[]> =>
  connection.query<Role>(`${ROLE} where rolname::text = any($1::text[])`, [
    names.filter((name) => !name.includes('\0')),
  ]);

/** The role that a resource gives. Errors: ConnectorError 'refused' when there is none. */
export async function targetRole(connection: PostgresqlConnection, name: string): Promise<Role> {
  const [role] = await rolesNamed(connection, [name]);
  if (role === undefined) throw new ConnectorError('refused', `the server has no role '${name}'`);
  return role;
}

/** What of a person a login role is called by. */
export type RoleNaming = 'user_name' | 'mail_local_part';

/** The login role of a person; undefined when there is none. Errors: ConnectorError 'refused' when there are several. */
export async function findLogin(
  connection: PostgresqlConnection,
  naming: RoleNaming,
  person: Person,
): Promise<Role | undefined> {
  const roles = (await rolesNamed(connection, wantedNames(naming, person))).filter(({ logsIn }) => logsIn);
  if (roles.length > 1) {
    const names = roles.map(({ name }) => `'${name}'`).join(' and ');
    throw new ConnectorError('refused', `the server has several login roles of this person: ${names}`);
  }
  const [role] = roles;
  if (role?.name === connection.user) {
    throw new ConnectorError('refused', `'${role.name}' is the role that Curfew itself uses`);
  }
  return role;
}

function wantedNames(naming: RoleNaming, person: Person): readonly string[] {
  if (person.subject !== '') return [person.subject];
  if (naming === 'user_name') return [person.userName];
  return person.mailAddresses.map((address) => address.slice(0, address.lastIndexOf('@')));
}

export const roleSubject = ({ oid, name }: Role): Subject => ({ id: `${oid}:${name}`, label: name });

const ID = /^(\d{1,10}):([^]+)$/;

/**
 * The role of a subject: by its number, which outlives a rename, else by its name, which outlives a restored dump.
 * Undefined when it is gone. Errors: ConnectorError 'refused' for an id that is none.
 */
export async function subjectRole(connection: PostgresqlConnection, subject: Subject): Promise<Role | undefined> {
  const [, oid, name] = ID.exec(subject.id) ?? [];
  if (oid === undefined || name === undefined || Number(oid) > 4_294_967_295 || name.includes('\0')) {
    throw new ConnectorError('refused', `'${subject.id}' is no id of a role`);
  }
  const roles = await connection.query<Role>(`${ROLE} where oid = $1::oid or rolname::text = $2`, [oid, name]);
  return roles.find((role) => role.oid === oid) ?? roles[0];
}

/** The direct grants of a role to another. */
export const grantsOf = (connection: PostgresqlConnection, role: Role, member: Role): Promise<readonly Grant[]> =>
  connection.query<Grant>(
    `select coalesce(g.rolname::text, m.grantor::text) as grantor
     from pg_auth_members m left join pg_roles g on g.oid = m.grantor
     where m.roleid = $1::oid and m.member = $2::oid`,
    [role.oid, member.oid],
  );

/** Every role that a role was granted to directly, but for Curfew's own, which has it to grant it. */
export const membersOf = (connection: PostgresqlConnection, role: Role): Promise<readonly Role[]> =>
  connection.query<Role>(
    `${ROLE} where oid in (select member from pg_auth_members where roleid = $1::oid) and rolname <> current_user order by rolname`,
    [role.oid],
  );
