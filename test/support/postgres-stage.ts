import { POSTGRESQL_KIND, type Connector, type ConnectorConfig, type Person } from '@curfew/server/parts';
import type { ContractStage } from './connector-contract.js';
import { LOCAL_PARTS, withDefaults } from './connector-parts.js';
import type { PostgresServer } from './postgres-server.js';
import { TcpProxy } from './tcp-proxy.js';

/** A role of its own in a server, with two people of its own, reached through a network that can break. */
export interface PostgresStage extends ContractStage {
  readonly role: string;
  readonly proxy: TcpProxy;
  /** The role that the connector uses: it may grant the role and end connections, nothing else. */
  readonly account: string;
  /** How people sign in. */
  readonly password: string;
  readonly config: ConnectorConfig;
  /** Another connector of the same resource. The caller closes it. */
  readonly another: (given?: Readonly<Record<string, string>>) => Connector;
}

const PASSWORD = 'a secret of all';

let count = 0;

/** Makes a role that alone can read a table of the same name, its people, and the connector of it. */
export async function postgresStage(
  server: PostgresServer,
  target: Readonly<Record<string, string>> = {},
): Promise<PostgresStage> {
  const mark = ++count;
  const [role, account] = [`Ops "${mark}"`, `curfew_${mark}`];
  const quoted = `"Ops ""${mark}"""`;
  const person = (name: string): Person => ({
    userName: `${name}-${mark}`,
    displayName: name,
    mailAddresses: [`${name}.${mark}@example.org`],
    subject: '',
  });
  const people = [person('ann'), person('ben')] as const;
  const option = server.version >= 16 ? 'WITH ADMIN TRUE, INHERIT FALSE, SET FALSE' : 'WITH ADMIN OPTION';
  await server.run(`
    create role ${quoted};
    create table ${quoted} (secret text);
    grant select on ${quoted} to ${quoted};
    create role ${account} login password '${PASSWORD}';
    grant ${quoted} to ${account} ${option};
    grant pg_signal_backend to ${account};
    ${people.map(({ userName }) => `create role "${userName}" login password '${PASSWORD}';`).join('\n')}`);

  const proxy = await TcpProxy.start({ target: { host: '127.0.0.1', port: server.port } });
  const config = {
    settings: withDefaults(POSTGRESQL_KIND.settings, {
      host: '127.0.0.1',
      port: String(proxy.port),
      user: account,
      ca: server.ca,
    }),
    secrets: { password: PASSWORD },
    target: withDefaults(POSTGRESQL_KIND.target, { role, ...target }),
  };
  const another = (changed: Readonly<Record<string, string>> = {}): Connector =>
    POSTGRESQL_KIND.open(
      { ...config, settings: { ...config.settings, ...changed }, target: { ...config.target, ...changed } },
      LOCAL_PARTS,
    );
  const connector = another();
  const restore = (): Promise<void> => {
    proxy.restore();
    return Promise.resolve();
  };
  return {
    connector,
    people,
    stranger: person('zoe'),
    truth: async ({ userName }) => {
      const { exitCode, stderr } = await server.psql({ user: userName, password: PASSWORD }, `table ${quoted}`);
      if (exitCode !== 0 && !stderr.includes('permission denied for table')) throw new Error(stderr);
      return exitCode === 0;
    },
    byHand: async ({ userName }, has) => {
      await server.run(has ? `grant ${quoted} to "${userName}"` : `revoke ${quoted} from "${userName}"`);
    },
    cutOff: () => {
      proxy.cut();
      return Promise.resolve(restore);
    },
    hang: () => {
      proxy.stall();
      return Promise.resolve(restore);
    },
    forget: async ({ userName }) => {
      await server.run(`drop role "${userName}"`);
    },
    close: async () => {
      await connector.close();
      await proxy.close();
    },
    ...{ role, proxy, account, password: PASSWORD, config, another },
  };
}
