import { safeText } from '@curfew/shared';
import { ConnectorError } from '../connector.js';
import type { JsonAnswer, JsonCall, JsonClient } from '../http/json-client.js';
import {
  accountShape,
  accountsShape,
  membershipShape,
  ownMembersShape,
  read,
  teamShape,
  teamsShape,
} from './github-answers.js';
import type { GithubAccount, GithubMembership, GithubTeam } from './github-answers.js';

const NOT_FOUND = 404;
const FOUND = 302;
const PAGE = 100;

/** Where GitHub's two interfaces are below the client's base. */
export interface GithubPaths {
  readonly rest: readonly string[];
  readonly graphql: readonly string[];
}

/** Members by themselves, not by way of a child team (GraphQL, `TeamMembershipType`). REST does not tell them apart. */
const OWN_MEMBERS = `query ($org: String!, $team: String!, $after: String) {
  organization(login: $org) {
    team(slug: $team) {
      members(first: ${PAGE}, after: $after, membership: IMMEDIATE) {
        nodes { databaseId login }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}`;

/** One team of an organization by GitHub's own interfaces: REST 'Team members', and GraphQL where REST cannot tell. */
export class GithubTeamApi {
  constructor(
    private readonly client: JsonClient,
    private readonly paths: GithubPaths,
    private readonly org: string,
    private readonly slug: string,
  ) {}

  /** The team, and what the answer says of the token. Errors: ConnectorError 'refused' when it is not to be seen. */
  async team(signal: AbortSignal): Promise<{ readonly team: GithubTeam; readonly headers: JsonAnswer['headers'] }> {
    const answer = await this.get(this.teamPath(), signal, [NOT_FOUND]);
    if (answer.status === NOT_FOUND)
      throw new ConnectorError('refused', 'the team is not there, or the token may not see it');
    return { team: read(teamShape, answer), headers: answer.headers };
  }

  async hasChildTeams(signal: AbortSignal): Promise<boolean> {
    const answer = await this.get([...this.teamPath(), 'teams'], signal, [], { per_page: '1' });
    return read(teamsShape, answer).length > 0;
  }

  /** Finds an account by its login. */
  async accountOf(login: string, signal: AbortSignal): Promise<GithubAccount | undefined> {
    return account(await this.get(['users', login], signal, [NOT_FOUND]));
  }

  /** Finds an account by its id, which is the same after a rename. */
  async accountById(id: string, signal: AbortSignal): Promise<GithubAccount | undefined> {
    return account(await this.get(['user', id], signal, [NOT_FOUND]));
  }

  /** Whether the account belongs to the organization. Errors: ConnectorError 'refused' when the token may not know. */
  async isInOrganization(login: string, signal: AbortSignal): Promise<boolean> {
    const { status } = await this.get(['orgs', this.org, 'members', login], signal, [NOT_FOUND, FOUND]);
    if (status === FOUND) throw new ConnectorError('refused', "the token's owner is not in the organization");
    return status !== NOT_FOUND;
  }

  /** Membership, by way of child teams too. Undefined when there is none, or no team that can be seen. */
  async membership(login: string, signal: AbortSignal): Promise<GithubMembership | undefined> {
    const answer = await this.get(this.membershipPath(login), signal, [NOT_FOUND]);
    return answer.status === NOT_FOUND ? undefined : read(membershipShape, answer);
  }

  /** Makes somebody a member, or asks them to join the organization. Would make a maintainer a plain member. */
  async addMember(login: string, signal: AbortSignal): Promise<GithubMembership> {
    const path = this.membershipPath(login);
    const answer = await this.client.call({ method: 'PUT', path: this.rest(path), body: { role: 'member' } }, signal);
    return read(membershipShape, answer);
  }

  /** Ends a membership or an invitation to the team. None is no error. */
  async removeMember(login: string, signal: AbortSignal): Promise<void> {
    const path = this.rest(this.membershipPath(login));
    await this.client.call({ method: 'DELETE', path, expect: [NOT_FOUND] }, signal);
  }

  /** Everybody who is a member, by way of child teams too. */
  async allMembers(signal: AbortSignal): Promise<GithubAccount[]> {
    const found: GithubAccount[] = [];
    for (let page = 1; ; page++) {
      const query = { per_page: String(PAGE), page: String(page) };
      const answer = await this.get([...this.teamPath(), 'members'], signal, [], query);
      found.push(...read(accountsShape, answer));
      // The address of the next page is not followed; that there is one is enough.
      if (!/;\s*rel="next"/.test(String(answer.headers['link'] ?? ''))) return found;
    }
  }

  /** Everybody who is a member by themselves. */
  async ownMembers(signal: AbortSignal): Promise<Pick<GithubAccount, 'id' | 'login'>[]> {
    const found: Pick<GithubAccount, 'id' | 'login'>[] = [];
    let after: string | undefined;
    do {
      const variables = { org: this.org, team: this.slug, after: after ?? null };
      const call: JsonCall = { method: 'POST', path: this.paths.graphql, body: { query: OWN_MEMBERS, variables } };
      const { data, errors } = read(ownMembersShape, await this.client.call(call, signal));
      const [error] = errors ?? [];
      if (error !== undefined)
        throw new ConnectorError(
          error.type === 'RATE_LIMITED' ? 'unreachable' : 'refused',
          `GitHub: ${safeText(error.message).slice(0, 200)}`,
        );
      const members = data?.organization?.team?.members;
      if (members === undefined)
        throw new ConnectorError('refused', 'the team is not there, or the token may not see it');
      found.push(...members.nodes.map(({ databaseId, login }) => ({ id: databaseId, login })));
      after = members.pageInfo.hasNextPage ? (members.pageInfo.endCursor ?? undefined) : undefined;
    } while (after !== undefined);
    return found;
  }

  private get(
    path: readonly string[],
    signal: AbortSignal,
    expect: readonly number[],
    query: Readonly<Record<string, string>> = {},
  ): Promise<JsonAnswer> {
    return this.client.call({ method: 'GET', path: this.rest(path), query, expect }, signal);
  }

  private rest(path: readonly string[]): readonly string[] {
    return [...this.paths.rest, ...path];
  }

  private teamPath(): readonly string[] {
    return ['orgs', this.org, 'teams', this.slug];
  }

  private membershipPath(login: string): readonly string[] {
    return [...this.teamPath(), 'memberships', login];
  }
}

const account = (answer: JsonAnswer): GithubAccount | undefined =>
  answer.status === NOT_FOUND ? undefined : read(accountShape, answer);
