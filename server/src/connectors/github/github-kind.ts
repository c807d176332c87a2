import type { ConnectorConfig, ConnectorKind, ConnectorParts } from '../connector-kind.js';
import { baseAddressProblem, CA_FIELD, tokenProblem } from '../http/http-fields.js';
import { JsonClient } from '../http/json-client.js';
import { GithubConnector } from './github-connector.js';
import { GithubTeamApi, type GithubPaths } from './github-team.js';

const CALLS_AT_ONCE = 4;
const YES_OR_NO = ['no', 'yes'] as const;

const nameProblem = (text: string): string | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(text)
    ? undefined
    : 'is not made of letters, digits, hyphens and underscores';

/** Membership of a team, on github.com and on GitHub Enterprise. */
export const GITHUB_TEAM_KIND: ConnectorKind = {
  kind: 'github_team',
  title: 'GitHub team',
  settings: [
    {
      name: 'url',
      label: 'Address',
      help: 'The base address of the REST interface; of GitHub Enterprise Server it is https://HOST/api/v3.',
      defaultValue: 'https://api.github.com',
      problem: baseAddressProblem,
    },
    {
      name: 'token',
      label: 'Token',
      help: "An organization owner's or team maintainer's: a fine-grained one with 'Members: read and write', or a classic one with admin:org.",
      required: true,
      secret: true,
      problem: tokenProblem,
    },
    CA_FIELD,
    {
      name: 'names_are_logins',
      label: 'User names are logins',
      help: "Whether people's names here are their logins there, if they are in the organization; GitHub cannot be asked by mail address, so all others need a login that an admin gives in the resource.",
      choices: YES_OR_NO,
      defaultValue: 'no',
      changesAnyTime: true,
    },
    {
      name: 'invite',
      label: 'Invite strangers',
      help: 'Whether those who are not in the organization are invited to it. Until they accept, the session is starting; when it ends, they stay invited or in the organization, and not in the team.',
      choices: YES_OR_NO,
      defaultValue: 'no',
      changesAnyTime: true,
    },
  ],
  target: [
    {
      name: 'org',
      label: 'Organization',
      help: "The organization's name as in its address.",
      required: true,
      problem: nameProblem,
    },
    {
      name: 'team',
      label: 'Team',
      help: "The team's name as in its address, such as platform-admins. A team that follows groups of an identity provider cannot be changed.",
      required: true,
      problem: nameProblem,
    },
  ],
  callsAtOnce: CALLS_AT_ONCE,
  callLimitMs: 30_000,
  open: openGithubTeam,
};

function openGithubTeam({ settings, secrets, target }: ConnectorConfig, { clock, guard }: ConnectorParts) {
  const { url = '', ca = '', names_are_logins: namesAreLogins, invite } = settings;
  const { token = '' } = secrets;
  const { org = '', team = '' } = target;
  const { base, paths } = interfacesOf(new URL(url));
  const client = new JsonClient({
    base,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
    },
    contentType: 'application/json',
    secrets: [token],
    ca,
    guard,
    clock,
    connections: CALLS_AT_ONCE,
  });
  const api = new GithubTeamApi(client, paths, org, team);
  return new GithubConnector({
    client,
    api,
    clock,
    org,
    namesAreLogins: namesAreLogins === 'yes',
    invite: invite === 'yes',
  });
}

/** GraphQL is below github.com's REST interface, and beside that of GitHub Enterprise Server (/api/v3, /api/graphql). */
function interfacesOf(url: URL): { readonly base: URL; readonly paths: GithubPaths } {
  const [, before] = /^(.*\/api)\/v3\/?$/.exec(url.pathname) ?? [];
  if (before === undefined) return { base: url, paths: { rest: [], graphql: ['graphql'] } };
  const base = new URL(url);
  base.pathname = before;
  return { base, paths: { rest: ['v3'], graphql: ['graphql'] } };
}
