import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { letFail, readJson, type FaultRule, type SeenCall } from './http-faults.js';

type Role = 'member' | 'maintainer';

/** An account, of a person unless said otherwise. */
interface Account {
  readonly id: number;
  login: string;
  readonly type: 'User' | 'Organization';
}

/** A team's people, by account id. */
interface Team {
  readonly members: Map<number, Role>;
  /** Invited to the organization for this team, and not yet there. */
  readonly pending: Map<number, Role>;
}

const TOKEN = 'github-secret-token-4711';
export const ORG = 'acme';
export const TEAM = 'platform-admins';
const DOCS = 'https://docs.github.com/rest/teams/members';

/** An answer as GitHub gives it. */
interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const NOT_FOUND: Answer = { status: 404, body: { message: 'Not Found', documentation_url: DOCS, status: '404' } };

/**
 * What GitHub's public descriptions say of teams and their members, on loopback: REST (version 2022-11-28, 'Team
 * members', 'Users', 'Organization members') and the one GraphQL question for immediate members. State in memory.
 */
export class GithubServer {
  readonly token = TOKEN;
  readonly calls: SeenCall[] = [];
  readonly team: Team = { members: new Map(), pending: new Map() };
  /** The members of a child team. Undefined while there is none. */
  childTeam: Set<number> | undefined;
  readonly organization = new Set<number>();
  /** Headers of every answer besides the usual ones. */
  headers: Readonly<Record<string, string>> = {};
  fault: FaultRule = () => undefined;
  /** Whether the token sees the team. */
  visible = true;
  private readonly accounts = new Map<number, Account>();
  private nextId = 583_231;

  private constructor(
    private readonly server: Server,
    /** '' for github.com, '/api/v3' for GitHub Enterprise Server. */
    private readonly prefix: '' | '/api/v3',
  ) {}

  static async start(prefix: '' | '/api/v3' = ''): Promise<GithubServer> {
    const http = createServer();
    const server = new GithubServer(http, prefix);
    http.on('request', (request, response) => void server.receive(request, response));
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  addAccount(
    login: string,
    { inOrganization = true, type = 'User' }: { inOrganization?: boolean; type?: Account['type'] } = {},
  ): number {
    const id = this.nextId++;
    this.accounts.set(id, { id, login, type });
    if (inOrganization) this.organization.add(id);
    return id;
  }

  idOf(login: string): number | undefined {
    return this.accountOf(login)?.id;
  }

  rename(id: number, login: string): void {
    const account = this.accounts.get(id);
    if (account !== undefined) account.login = login;
  }

  removeAccount(id: number): void {
    this.accounts.delete(id);
    this.organization.delete(id);
    this.team.members.delete(id);
    this.team.pending.delete(id);
    this.childTeam?.delete(id);
  }

  /** The person accepts the invitation. */
  accept(id: number): void {
    const role = this.team.pending.get(id);
    if (role === undefined) throw new Error('not invited');
    this.team.pending.delete(id);
    this.organization.add(id);
    this.team.members.set(id, role);
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    let body: unknown;
    try {
      body = await readJson(request);
    } catch {
      return;
    }
    const call = { method, url, headers, body };
    this.calls.push(call);
    if (!letFail(this.fault(call), request, response)) return;
    const { status, body: answer, headers: more } = this.answer(call);
    response.writeHead(status, {
      ...(answer === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
      'x-github-media-type': 'github.v3; format=json',
      ...this.headers,
      ...more,
    });
    response.end(answer === undefined ? undefined : JSON.stringify(answer));
  }

  private answer(call: SeenCall): Answer {
    if (call.headers.authorization !== `Bearer ${TOKEN}`)
      return { status: 401, body: { message: 'Bad credentials', documentation_url: DOCS, status: '401' } };
    const url = new URL(call.url, 'http://localhost');
    if (call.method === 'POST' && url.pathname === (this.prefix === '' ? '/graphql' : '/api/graphql'))
      return this.graphql(call.body as { query: string; variables: Record<string, string | null> });
    if (!url.pathname.startsWith(`${this.prefix}/`)) return NOT_FOUND;
    const [root, ...path] = url.pathname
      .slice(this.prefix.length + 1)
      .split('/')
      .map(decodeURIComponent);
    if (root === 'users' && path.length === 1) return shown(this.accountOf(path[0] ?? ''));
    if (root === 'user' && path.length === 1) return shown(this.accounts.get(Number(path[0])));
    if (root !== 'orgs' || path[0]?.toLowerCase() !== ORG) return NOT_FOUND;
    if (path[1] === 'members' && path.length === 3)
      return this.organization.has(this.idOf(path[2] ?? '') ?? 0) ? { status: 204 } : NOT_FOUND;
    if (path[1] !== 'teams' || path[2] !== TEAM || !this.visible) return NOT_FOUND;
    return this.ofTeam(call, path.slice(3), url);
  }

  private ofTeam({ method, body }: SeenCall, path: readonly string[], url: URL): Answer {
    const { members, pending } = this.team;
    const [what, login = ''] = path;
    const all = new Map<number, Role>([
      ...[...(this.childTeam ?? [])].map((id) => [id, 'member'] as const),
      ...members,
    ]);
    if (what === undefined) {
      const team = {
        id: 1,
        node_id: 'MDQ6VGVhbTE=',
        name: 'Platform Admins',
        slug: TEAM,
        privacy: 'closed',
        parent: null,
      };
      return { status: 200, body: { ...team, members_count: all.size, repos_count: 3 } };
    }
    if (what === 'teams')
      return { status: 200, body: this.childTeam === undefined ? [] : [{ id: 2, slug: 'on-call' }] };
    if (what === 'members') return this.page([...all.keys()], url);
    const account = this.accountOf(login);
    if (what !== 'memberships' || account === undefined) return NOT_FOUND;
    const { id } = account;
    const membership = (state: string, role: Role): Answer => ({
      status: 200,
      body: { url: `https://api.github.com/teams/1/memberships/${account.login}`, role, state },
    });
    if (method === 'PUT') {
      if (account.type === 'Organization')
        return {
          status: 422,
          body: {
            message: 'Cannot add an organization as a member',
            errors: [{ code: 'org', field: 'user', resource: 'TeamMember' }],
          },
        };
      const { role = 'member' } = body as { role?: Role };
      const isThere = this.organization.has(id);
      (isThere ? members : pending).set(id, role);
      return membership(isThere ? 'active' : 'pending', role);
    }
    const [active, invited] = [all.get(id), pending.get(id)];
    if (active === undefined && invited === undefined) return NOT_FOUND;
    if (method === 'DELETE') {
      members.delete(id);
      pending.delete(id);
      return { status: 204 };
    }
    return active === undefined ? membership('pending', invited ?? 'member') : membership('active', active);
  }

  private page(ids: readonly number[], url: URL): Answer {
    const size = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
    const page = Number(url.searchParams.get('page') ?? 1);
    const body = ids.slice((page - 1) * size, page * size).map((id) => shown(this.accounts.get(id)).body);
    const link = `<https://api.github.com/somewhere?page=${page + 1}>; rel="next", <https://api.github.com/else>; rel="last"`;
    return { status: 200, body, headers: page * size < ids.length ? { link } : {} };
  }

  private graphql({ query, variables }: { query: string; variables: Record<string, string | null> }): Answer {
    if (!query.includes('members(first: 100, after: $after, membership: IMMEDIATE)')) return { status: 400, body: {} };
    const known = variables['org']?.toLowerCase() === ORG && variables['team'] === TEAM && this.visible;
    const ids = [...this.team.members.keys()];
    const from = Number(variables['after'] ?? 0);
    const members = {
      nodes: ids.slice(from, from + 100).map((id) => ({ databaseId: id, login: this.accounts.get(id)?.login })),
      pageInfo: { hasNextPage: from + 100 < ids.length, endCursor: String(from + 100) },
    };
    return { status: 200, body: { data: { organization: { team: known ? { members } : null } } } };
  }

  private accountOf(login: string): Account | undefined {
    return [...this.accounts.values()].find((account) => account.login.toLowerCase() === login.toLowerCase());
  }
}

const shown = (account: Account | undefined): Answer =>
  account === undefined
    ? NOT_FOUND
    : {
        status: 200,
        body: {
          login: account.login,
          id: account.id,
          node_id: 'MDQ6VXNlcjE=',
          avatar_url: 'https://github.com/images/error/octocat_happy.gif',
          html_url: `https://github.com/${account.login}`,
          type: account.type,
          site_admin: false,
        },
      };
