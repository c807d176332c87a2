import { GithubServer, ORG, TEAM } from '../../support/github-server.js';
import { JsonHttp } from './json-http.js';
import { expectSo, placeNumbers, type Place, type Right, type Stage } from './right.js';

/** Teams as GitHub's public description has them, each on a server of its own. */
export async function githubStage(people: readonly string[]): Promise<Stage> {
  const servers = await Promise.all(placeNumbers.map(() => GithubServer.start()));
  for (const server of servers) for (const login of people) server.addAccount(login);
  return {
    places: servers.map(({ port, token }) => ({
      kind: 'github_team',
      settings: { url: `http://127.0.0.1:${port}`, names_are_logins: 'yes' },
      secrets: { token },
      target: { org: ORG, team: TEAM },
    })),
    held: () => Promise.resolve(servers.reduce((sum, { team }) => sum + team.members.size, 0)),
    close: async () => {
      for (const server of servers) await server.stop();
    },
  };
}

/** The same by HTTP alone. */
export function githubLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const http = new JsonHttp(settings['url'] ?? '', {
    authorization: `Bearer ${secrets['token'] ?? ''}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    'content-type': 'application/json',
  });
  const membership = (login: string): string =>
    `/orgs/${target['org'] ?? ''}/teams/${target['team'] ?? ''}/memberships/${login}`;
  const has = async (login: string): Promise<boolean> => (await http.call('GET', membership(login))).status === 200;
  return Promise.resolve({
    give: async (person) => {
      const { status } = await http.call('GET', `/users/${person}`);
      expectSo(status === 200 && !(await has(person)), 'somebody who is not in the team');
      await http.call('PUT', membership(person), { role: 'member' });
      expectSo(await has(person), 'somebody was added');
    },
    take: async (person) => {
      await http.call('DELETE', membership(person));
      expectSo(!(await has(person)), 'somebody was removed');
    },
    close: () => http.close(),
  });
}
