import type { Clock, InstantMs } from '@curfew/shared';
import { ConnectorError, type Connector, type Person, type ResourceDescription, type Subject } from '../connector.js';
import type { JsonAnswer, JsonClient } from '../http/json-client.js';
import { readBack } from '../read-back.js';
import type { GithubTeamApi } from './github-team.js';

/** Which team, and how people are found. */
export interface GithubConnectorOptions {
  readonly client: JsonClient;
  readonly api: GithubTeamApi;
  readonly clock: Clock;
  readonly org: string;
  /** Whether user names are logins too, for those to whom no admin has given one. */
  readonly namesAreLogins: boolean;
  /** Whether people who are not in the organization are asked to join it. */
  readonly invite: boolean;
}

/** Letters, digits and hyphens, and the underscore before an enterprise's short code. */
const LOGIN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/;
const ACCOUNT_ID = /^[1-9]\d{0,18}$/;
/** How long after an invitation it is looked whether it has been accepted. */
const INVITATION_WAIT_MS = 60_000;
/** Any of these scopes of a classic token is enough for teams (X-Accepted-OAuth-Scopes). */
const SCOPES = ['admin:org', 'write:org', 'repo'];

/** Whether somebody is a member of the team by themselves. */
type Standing = 'none' | 'pending' | 'member';

/**
 * Membership of a GitHub team. A subject is the id of an account, which stays the same when the login is changed. A
 * maintainer is a member, and stays a maintainer; an invitation is no membership.
 */
export class GithubConnector implements Connector {
  constructor(private readonly options: GithubConnectorOptions) {}

  async describe(signal: AbortSignal): Promise<ResourceDescription> {
    const { api, org } = this.options;
    const { team, headers } = await api.team(signal);
    const count = team.members_count ?? (await api.allMembers(signal)).length;
    const findings = [
      ...tokenFindings(headers),
      ...((await api.hasChildTeams(signal))
        ? ['It has child teams; their members have what it gives as well, and are not counted as having it here.']
        : []),
    ];
    return { text: `team '${team.name}' of ${org} with ${count} member${count === 1 ? '' : 's'}`, findings };
  }

  async findSubject(person: Person, signal: AbortSignal): Promise<Subject | undefined> {
    const { api, namesAreLogins } = this.options;
    const login = person.subject === '' && namesAreLogins ? person.userName : person.subject;
    if (!LOGIN.test(login)) return undefined;
    const account = await api.accountOf(login, signal);
    if (account?.type !== 'User' || account.login.toLowerCase() !== login.toLowerCase()) return undefined;
    // A stranger may have the login that a user name happens to be; nobody has said that it is the same person.
    if (person.subject === '' && !(await api.isInOrganization(account.login, signal))) return undefined;
    return { id: String(account.id), label: account.login };
  }

  async has(subject: Subject, signal: AbortSignal): Promise<boolean> {
    const login = await this.loginOf(subject, signal);
    return login !== undefined && (await this.standing(login, subject, signal)) === 'member';
  }

  async add(subject: Subject, _until: InstantMs, signal: AbortSignal): Promise<void> {
    const { api, clock, invite } = this.options;
    const login = await this.loginOf(subject, signal);
    if (login === undefined) throw new ConnectorError('refused', `the account ${subject.label} is not there any more`);
    const standing = await this.standing(login, subject, signal);
    if (standing === 'member') return;
    if (standing === 'none') {
      if (!invite && !(await api.isInOrganization(login, signal)))
        throw new ConnectorError('refused', `${login} is not in the organization, and nobody is to be invited`);
      await api.addMember(login, signal);
    }
    const look = async (): Promise<boolean> => {
      const now = await this.standing(login, subject, signal);
      if (now === 'pending') throw this.invited(login);
      return now === 'member';
    };
    await readBack(look, 'the new membership', clock, signal);
  }

  async remove(subject: Subject, signal: AbortSignal): Promise<void> {
    const { api, clock } = this.options;
    const login = await this.loginOf(subject, signal);
    if (login === undefined) return;
    await api.removeMember(login, signal);
    const look = async (): Promise<boolean> => (await this.standing(login, subject, signal)) === 'none';
    await readBack(look, 'the end of the membership', clock, signal);
  }

  async members(signal: AbortSignal): Promise<readonly Subject[]> {
    const { api } = this.options;
    const members = (await api.hasChildTeams(signal)) ? await api.ownMembers(signal) : await api.allMembers(signal);
    return members.map(({ id, login }) => ({ id: String(id), label: login }));
  }

  async close(): Promise<void> {
    this.options.client.close();
  }

  /** The login that the account has now. Undefined when GitHub, where the team is, knows the account no more. */
  private async loginOf({ id }: Subject, signal: AbortSignal): Promise<string | undefined> {
    const { api } = this.options;
    if (!ACCOUNT_ID.test(id)) throw new ConnectorError('refused', 'this is no id of an account');
    const account = await api.accountById(id, signal);
    if (account !== undefined) return account.login;
    await api.team(signal);
    return undefined;
  }

  private async standing(login: string, { id }: Subject, signal: AbortSignal): Promise<Standing> {
    const { api } = this.options;
    const membership = await api.membership(login, signal);
    if (membership === undefined) {
      // The answer for 'no member' is that for 'no team that you may see'.
      await api.team(signal);
      return 'none';
    }
    if (membership.state === 'pending') return 'pending';
    if (!(await api.hasChildTeams(signal))) return 'member';
    return (await api.ownMembers(signal)).some((member) => String(member.id) === id) ? 'member' : 'none';
  }

  private invited(login: string): ConnectorError {
    const text = `${login} has been invited to ${this.options.org} and has not accepted yet`;
    return new ConnectorError('pending', text, INVITATION_WAIT_MS);
  }
}

/** What the headers of an answer say of a classic token's scopes, and of the end of any token. */
function tokenFindings(headers: JsonAnswer['headers']): string[] {
  const [scopes, ends] = [headers['x-oauth-scopes'], headers['github-authentication-token-expiration']];
  const lacks = typeof scopes === 'string' && !scopes.split(/,\s*/).some((scope) => SCOPES.includes(scope));
  return [
    ...(lacks ? [`The token lacks the scope ${SCOPES[0] ?? ''}, which changing the members of teams needs.`] : []),
    ...(typeof ends === 'string' && /^[\w :+-]{1,40}$/.test(ends) ? [`The token ends at ${ends}.`] : []),
  ];
}
