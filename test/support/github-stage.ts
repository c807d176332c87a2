import type { Connector, FieldValues, Person } from '@curfew/server/parts';
import type { ContractStage } from './connector-contract.js';
import { openConnector } from './connector-parts.js';
import { GithubServer, ORG, TEAM } from './github-server.js';
import { TcpProxy } from './tcp-proxy.js';

/** A person whom an admin calls so on GitHub. */
export const person = (subject: string, userName = 'x'): Person => ({
  userName,
  displayName: userName,
  mailAddresses: [`${userName}@example.org`],
  subject,
});

/** GitHub with a team, and a connector to it through a network that can be broken. */
export interface GithubStage extends ContractStage {
  readonly server: GithubServer;
  /** Another connector to the same team, with other settings. */
  readonly open: (settings?: FieldValues) => Connector;
}

/** Starts a server whose team nobody is in. */
export async function githubStage(prefix: '' | '/api/v3' = '', settings: FieldValues = {}): Promise<GithubStage> {
  const server = await GithubServer.start(prefix);
  const people = [person('octocat'), person('hubot')] as const;
  for (const { subject } of people) server.addAccount(subject);
  const network = await TcpProxy.start({ target: { host: '127.0.0.1', port: server.port } });
  const opened: Connector[] = [];
  const open = (more: FieldValues = {}): Connector => {
    const connector = openConnector('github_team', {
      settings: { url: `http://${network.address}${prefix}`, ...settings, ...more },
      secrets: { token: server.token },
      target: { org: ORG, team: TEAM },
    });
    opened.push(connector);
    return connector;
  };
  const restore = async (): Promise<void> => network.restore();
  const idOf = ({ subject }: Person): number => server.idOf(subject) ?? 0;
  return {
    server,
    open,
    connector: open(),
    people,
    stranger: person('nobody-at-all'),
    truth: async (one) => server.team.members.has(idOf(one)),
    byHand: async (one, has) => {
      if (has) server.team.members.set(idOf(one), 'member');
      else server.team.members.delete(idOf(one));
    },
    cutOff: async () => {
      network.cut();
      return restore;
    },
    hang: async () => {
      network.stall();
      return restore;
    },
    forget: async (one) => server.removeAccount(idOf(one)),
    close: async () => {
      for (const connector of opened) await connector.close();
      await network.close();
      await server.stop();
    },
  };
}
