import { ConnectionPool } from '../connection-pool.js';
import type { ConnectorField, ConnectorKind } from '../connector-kind.js';
import { certificateProblem, hostProblem, portProblem } from '../field-problems.js';
import { PostgresqlConnection } from './postgresql-connection.js';
import { PostgresqlConnector } from './postgresql-connector.js';

const noNul = (value: string): string | undefined => (value.includes('\0') ? 'holds a NUL' : undefined);

/** PostgreSQL cuts longer names, and would mean another role by that. */
const roleProblem = (value: string): string | undefined =>
  Buffer.byteLength(value) > 63 ? 'is longer than 63 bytes' : noNul(value);

const SETTINGS: readonly ConnectorField[] = [
  { name: 'host', label: 'Host', help: 'The name or address of the server.', required: true, problem: hostProblem },
  { name: 'port', label: 'Port', help: 'Where it listens.', defaultValue: '5432', problem: portProblem },
  {
    name: 'database',
    label: 'Database',
    help: 'Any database of the server: roles belong to all of them.',
    defaultValue: 'postgres',
    problem: noNul,
  },
  {
    name: 'user',
    label: 'User',
    help: 'A login role that has the given roles WITH ADMIN OPTION, and pg_signal_backend to end connections.',
    required: true,
    problem: roleProblem,
    changesAnyTime: true,
  },
  { name: 'password', label: 'Password', help: 'The password of the user.', required: true, secret: true },
  {
    name: 'tls',
    label: 'TLS',
    help: 'With verify, the server must show a certificate of its host that is vouched for.',
    choices: ['verify', 'off'],
    defaultValue: 'verify',
    changesAnyTime: true,
  },
  {
    name: 'ca',
    label: 'CA certificates',
    help: 'What vouches for the server, PEM; empty for the authorities that are known to all.',
    multiline: true,
    problem: certificateProblem,
    changesAnyTime: true,
  },
  {
    name: 'person_value',
    label: 'Names of people',
    help: 'What of a person in Curfew their login role is called by, letter by letter.',
    choices: ['user_name', 'mail_local_part'],
    defaultValue: 'user_name',
    changesAnyTime: true,
  },
];

const YES_NO = ['yes', 'no'] as const;

const TARGET: readonly ConnectorField[] = [
  { name: 'role', label: 'Role', help: 'The role that is granted.', required: true, problem: roleProblem },
  {
    name: 'end_connections',
    label: 'End connections',
    help: "Whether a person's open connections are ended with the access, since SET ROLE keeps its rights until then.",
    choices: YES_NO,
    defaultValue: 'yes',
  },
  {
    name: 'allow_set_role',
    label: 'Allow SET ROLE',
    help: 'Whether people may become the role, beside having its rights; no needs PostgreSQL 16 or newer.',
    choices: YES_NO,
    defaultValue: 'yes',
  },
  {
    name: 'allow_powerful_role',
    label: 'Allow a powerful role',
    help: 'Whether the role may be one of superusers, of those who create roles, or one of the system (pg_…).',
    choices: YES_NO,
    defaultValue: 'no',
  },
];

/** Roles of PostgreSQL servers, version 14 or newer. */
export const POSTGRESQL_KIND: ConnectorKind = {
  kind: 'postgresql',
  title: 'PostgreSQL role',
  settings: SETTINGS,
  target: TARGET,
  callsAtOnce: 4,
  callLimitMs: 20_000,
  open: ({ settings, secrets, target }, { clock, guard }) => {
    const isEncrypted = settings['tls'] !== 'off';
    const address = {
      host: settings['host'] ?? '',
      port: Number(settings['port']),
      database: settings['database'] ?? '',
      user: settings['user'] ?? '',
      password: secrets['password'] ?? '',
      isEncrypted,
      ca: settings['ca'] ?? '',
    };
    const pool = new ConnectionPool<PostgresqlConnection>({
      clock,
      open: (signal) => PostgresqlConnection.open(address, guard, signal),
      isOpen: (connection) => connection.isOpen,
      answers: (connection) => connection.answers,
      destroy: (connection) => connection.destroy(),
    });
    const resource = {
      role: target['role'] ?? '',
      naming: settings['person_value'] === 'mail_local_part' ? 'mail_local_part' : 'user_name',
      endsConnections: target['end_connections'] !== 'no',
      allowsSetRole: target['allow_set_role'] !== 'no',
      allowsPowerful: target['allow_powerful_role'] === 'yes',
      isEncrypted,
    } as const;
    return new PostgresqlConnector(resource, pool);
  },
};
