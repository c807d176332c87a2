import { AwsIdentityStore } from './aws-identity-store.js';
import { signedHeaders } from './aws-signature.js';
import { GithubServer, ORG, TEAM } from './github-server.js';
import type { PostgresServer } from './postgres-server.js';
import { ScimServer } from './scim-server.js';
import { CONNECTOR_ACCOUNT, SUFFIX, type SlapdServer } from './slapd-server.js';
import { TcpProxy } from './tcp-proxy.js';

type Fields = Readonly<Record<string, string>>;

/** A connector and what it gives, as an admin enters them. */
export interface ResourceEntry {
  readonly kind: string;
  readonly settings: Fields;
  readonly secrets: Fields;
  readonly target: Fields;
}

/** Something to give at a real server: entered by an admin, reached through a network that can break, asked by its own client. */
export interface RealResource {
  readonly entry: ResourceEntry;
  readonly network: TcpProxy;
  /** Makes people there, whom their user names find. */
  readonly addPeople: (names: readonly string[]) => Promise<void>;
  /** The names of all who have it, as the server's own client says. */
  readonly members: () => Promise<readonly string[]>;
  /** Whether somebody has it and can use it, as the server's own client says. */
  readonly has: (name: string) => Promise<boolean>;
  /** Gives or takes it, not by way of Curfew. */
  readonly byHand: (name: string, has: boolean) => Promise<void>;
  readonly close: () => Promise<void>;
}

const networkTo = (port: number): Promise<TcpProxy> => TcpProxy.start({ target: { host: '127.0.0.1', port } });

let count = 0;

/** A group of its own in a directory: seen by ldapsearch over StartTLS. */
export async function directoryGroup(slapd: SlapdServer): Promise<RealResource> {
  const group = `cn=given ${++count},ou=groups,${SUFFIX}`;
  const dnOf = (name: string): string => `uid=${name},ou=people,${SUFFIX}`;
  await slapd.apply(`dn: ${group}\nchangetype: add\nobjectClass: groupOfNames\nmember: ${group}\n`);
  const network = await networkTo(slapd.port);
  const members = async (): Promise<readonly string[]> =>
    (await slapd.values(group, 'member'))
      .filter((dn) => dn !== group)
      .map((dn) => /^uid=([^,]+),/.exec(dn)?.[1] ?? dn)
      .sort();
  return {
    entry: {
      kind: 'ldap',
      settings: {
        url: `ldap://${network.address}`,
        ca: slapd.ca,
        bind_dn: CONNECTOR_ACCOUNT.dn,
        people_dn: `ou=people,${SUFFIX}`,
      },
      secrets: { password: CONNECTOR_ACCOUNT.password },
      target: { group_dn: group },
    },
    network,
    addPeople: (names) =>
      slapd.apply(
        names
          .map((name) => `dn: ${dnOf(name)}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${name}\ncn: x\nsn: x\n`)
          .join('\n'),
      ),
    members,
    has: async (name) => (await members()).includes(name),
    byHand: (name, has) =>
      slapd.apply(`dn: ${group}\nchangetype: modify\n${has ? 'add' : 'delete'}: member\nmember: ${dnOf(name)}\n`),
    close: () => network.close(),
  };
}

const PASSWORD = 'a secret of all';

/** A role that alone can read a table of the same name: seen by psql, and used by psql as the person. */
export async function databaseRole(server: PostgresServer): Promise<RealResource> {
  const mark = ++count;
  const [role, account] = [`given ${mark}`, `curfew_${mark}`];
  const option = server.version >= 16 ? 'WITH ADMIN TRUE, INHERIT FALSE, SET FALSE' : 'WITH ADMIN OPTION';
  await server.run(`
    create role "${role}";
    create table "${role}" (secret text);
    grant select on "${role}" to "${role}";
    create role ${account} login password '${PASSWORD}';
    grant "${role}" to ${account} ${option};
    grant pg_signal_backend to ${account};`);
  const network = await networkTo(server.port);
  return {
    entry: {
      kind: 'postgresql',
      settings: { host: network.host, port: String(network.port), user: account, ca: server.ca },
      secrets: { password: PASSWORD },
      target: { role },
    },
    network,
    addPeople: async (names) => {
      await server.run(names.map((name) => `create role "${name}" login password '${PASSWORD}';`).join('\n'));
    },
    members: async () => {
      const rows = await server.run(`
        select r.rolname from pg_auth_members m join pg_roles r on r.oid = m.member
        where m.roleid = '"${role}"'::regrole and r.rolname <> '${account}'`);
      return rows.split('\n').filter(Boolean).sort();
    },
    has: async (name) => {
      const { exitCode, stderr } = await server.psql({ user: name, password: PASSWORD }, `table "${role}"`);
      if (exitCode !== 0 && !stderr.includes('permission denied for table')) throw new Error(stderr);
      return exitCode === 0;
    },
    byHand: async (name, has) => {
      await server.run(has ? `grant "${role}" to "${name}"` : `revoke "${role}" from "${name}"`);
    },
    close: () => network.close(),
  };
}

async function answerOf(call: Promise<Response>): Promise<unknown> {
  const answer = await call;
  if (answer.status !== 200) throw new Error(`HTTP ${answer.status}: ${await answer.text()}`);
  return await answer.json();
}

export interface ScimResource extends RealResource {
  readonly server: ScimServer;
}

/** A group of an independent SCIM server: seen by a GET. */
export async function scimGroup(): Promise<ScimResource> {
  const server = await ScimServer.start();
  const [group, idOf] = ['g-7f1', (name: string): string => `id-of-${name}`];
  server.addGroup(group, 'ops');
  const network = await networkTo(server.port);
  const members = async (): Promise<readonly string[]> => {
    const headers = { authorization: `Bearer ${server.token}` };
    const seen = (await answerOf(fetch(`${server.url}/Groups/${group}`, { headers }))) as {
      members?: { value: string }[];
    };
    return (seen.members ?? []).map(({ value }) => value.replace(/^id-of-/, '')).sort();
  };
  return {
    entry: {
      kind: 'scim',
      settings: { url: `http://${network.address}/scim/v2` },
      secrets: { token: server.token },
      target: { group, group_by: 'id' },
    },
    network,
    server,
    addPeople: async (names) => {
      for (const userName of names) server.addUser({ id: idOf(userName), userName });
    },
    members,
    has: async (name) => (await members()).includes(name),
    byHand: async (name, has) => {
      server.setMember(group, idOf(name), has);
    },
    close: async () => {
      await network.close();
      await server.stop();
    },
  };
}

/** A team of GitHub: seen by the REST interface. */
export async function githubTeam(): Promise<RealResource> {
  const server = await GithubServer.start();
  const network = await networkTo(server.port);
  const members = async (): Promise<readonly string[]> => {
    const url = `http://127.0.0.1:${server.port}/orgs/${ORG}/teams/${TEAM}/members?per_page=100`;
    const seen = await answerOf(fetch(url, { headers: { authorization: `Bearer ${server.token}` } }));
    return (seen as { login: string }[]).map(({ login }) => login).sort();
  };
  return {
    entry: {
      kind: 'github_team',
      settings: { url: `http://${network.address}`, names_are_logins: 'yes' },
      secrets: { token: server.token },
      target: { org: ORG, team: TEAM },
    },
    network,
    addPeople: async (names) => {
      for (const name of names) server.addAccount(name);
    },
    members,
    has: async (name) => (await members()).includes(name),
    byHand: async (name, has) => {
      const id = server.idOf(name) ?? 0;
      if (has) server.team.members.set(id, 'member');
      else server.team.members.delete(id);
    },
    close: async () => {
      await network.close();
      await server.stop();
    },
  };
}

/** A group of an identity store of AWS: seen by a signed call over HTTP. */
export async function identityStoreGroup(): Promise<RealResource> {
  const store = await new AwsIdentityStore().start();
  const network = await networkTo(store.port);
  const { key, id, groupId } = store;
  const ids = new Map<string, string>();
  const members = async (): Promise<readonly string[]> => {
    const body = JSON.stringify({ IdentityStoreId: id, GroupId: groupId, MaxResults: 100 });
    const headers = signedHeaders(key, {
      body,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        host: `127.0.0.1:${store.port}`,
        'x-amz-target': 'AWSIdentityStore.ListGroupMemberships',
      },
    });
    const seen = (await answerOf(fetch(store.url, { method: 'POST', headers, body }))) as {
      GroupMemberships: { MemberId: { UserId: string } }[];
    };
    return seen.GroupMemberships.map(({ MemberId: { UserId } }) => store.users.get(UserId)?.userName ?? UserId).sort();
  };
  return {
    entry: {
      kind: 'aws_identity_center',
      settings: {
        region: key.region,
        identity_store_id: id,
        access_key_id: key.accessKeyId,
        endpoint: `http://${network.address}`,
      },
      secrets: { secret_access_key: key.secretAccessKey },
      target: { group_id: groupId },
    },
    network,
    addPeople: async (names) => {
      for (const name of names) ids.set(name, store.addUser(name));
    },
    members,
    has: async (name) => (await members()).includes(name),
    byHand: async (name, has) => {
      const user = ids.get(name) ?? '';
      if (has) store.memberships.set(`9067230d03-${crypto.randomUUID()}`, user);
      else store.memberships.delete(store.membershipOf(user) ?? '');
    },
    close: async () => {
      await network.close();
      await store.stop();
    },
  };
}
