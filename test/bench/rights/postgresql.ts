import pg from 'pg';
import { PostgresServer } from '../../support/postgres-server.js';
import { expectSo, placeNumbers, type Place, type Right, type Stage } from './right.js';

const [ACCOUNT, PASSWORD] = ['curfew', 'a secret of all'];
const roleName = (at: number): string => `ops ${at}`;

/** Roles of a real PostgreSQL 15, over TLS. */
export async function postgresqlStage(people: readonly string[]): Promise<Stage> {
  const server = await PostgresServer.start(15);
  await server.run(`
    create role ${ACCOUNT} login password '${PASSWORD}';
    grant pg_signal_backend to ${ACCOUNT};
    ${placeNumbers.map((at) => `create role "${roleName(at)}"; grant "${roleName(at)}" to ${ACCOUNT} with admin option;`).join('\n')}
    ${people.map((name) => `create role "${name}" login;`).join('\n')}`);
  const member = `m.roleid::regrole::text like '"ops %' and m.member <> '${ACCOUNT}'::regrole`;
  return {
    places: placeNumbers.map((at) => ({
      kind: 'postgresql',
      settings: { host: '127.0.0.1', port: String(server.port), user: ACCOUNT, ca: server.ca },
      secrets: { password: PASSWORD },
      target: { role: roleName(at) },
    })),
    held: async () => Number(await server.run(`select count(*) from pg_auth_members m where ${member}`)),
    close: () => server.stop(),
  };
}

const HAS = `select 1 from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles p on p.oid = m.member
  where r.rolname = $1 and p.rolname = $2`;
const END = 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1';

/** The same by pg alone. As the connector does, it ends the connections of whoever loses the role. */
export async function postgresqlLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const client = new pg.Client({
    host: settings['host'],
    port: Number(settings['port']),
    user: settings['user'],
    database: 'postgres',
    password: secrets['password'],
    ssl: { ca: settings['ca'] },
  });
  await client.connect();
  const role = target['role'] ?? '';
  const names = (person: string): string[] => [role, person].map(pg.escapeIdentifier);
  const has = async (person: string): Promise<boolean> => ((await client.query(HAS, [role, person])).rowCount ?? 0) > 0;
  return {
    give: async (person) => {
      const { rowCount } = await client.query('select oid from pg_roles where rolname = $1 and rolcanlogin', [person]);
      expectSo(rowCount === 1 && !(await has(person)), 'somebody without the role');
      await client.query(`grant ${names(person).join(' to ')}`);
      expectSo(await has(person), 'the role was granted');
    },
    take: async (person) => {
      await client.query(`revoke ${names(person).join(' from ')}`);
      expectSo(!(await has(person)), 'the role was revoked');
      await client.query(END, [person]);
    },
    close: () => client.end(),
  };
}
