import type { Connector, FieldValues, Person } from '@curfew/server/parts';
import type { ContractStage } from './connector-contract.js';
import { openConnector } from './connector-parts.js';
import { ScimServer, type ScimKnobs } from './scim-server.js';
import { TcpProxy } from './tcp-proxy.js';

export const GROUP = 'g-7f1';

/** A person as the server here knows them; `subject` is what an admin says. */
export const person = (userName: string, subject = ''): Person => ({
  userName,
  displayName: userName,
  mailAddresses: [`${userName}@example.org`],
  subject,
});

const idOf = ({ userName }: Person): string => `id-of-${userName}`;

/** A SCIM server with a group, and a connector to it through a network that can be broken. */
export interface ScimStage extends ContractStage {
  readonly server: ScimServer;
  readonly network: TcpProxy;
  /** Another connector to the same group, with other settings. */
  readonly open: (settings?: FieldValues, target?: FieldValues) => Connector;
}

/** Starts a server whose group nobody is in. */
export async function scimStage(knobs: Partial<ScimKnobs> = {}, settings: FieldValues = {}): Promise<ScimStage> {
  const server = await ScimServer.start();
  Object.assign(server.knobs, knobs);
  const people = [person('alice'), person('bob')] as const;
  for (const one of people) {
    server.addUser({
      id: idOf(one),
      userName: one.userName,
      externalId: one.userName,
      emails: [{ value: `${one.userName}@example.org`, type: 'work' }],
    });
  }
  server.addGroup(GROUP, 'ops');
  const network = await TcpProxy.start({ target: { host: '127.0.0.1', port: server.port } });
  const opened: Connector[] = [];
  const open = (more: FieldValues = {}, target: FieldValues = { group: GROUP, group_by: 'id' }): Connector => {
    const url = `http://${network.address}/scim/v2`;
    const connector = openConnector('scim', {
      settings: { url, ...settings, ...more },
      secrets: { token: server.token },
      target,
    });
    opened.push(connector);
    return connector;
  };
  const restore = async (): Promise<void> => network.restore();
  return {
    server,
    network,
    open,
    connector: open(),
    people,
    stranger: person('carol'),
    truth: async (one) => server.memberIds(GROUP).includes(idOf(one)),
    byHand: async (one, has) => server.setMember(GROUP, idOf(one), has),
    cutOff: async () => {
      network.cut();
      return restore;
    },
    hang: async () => {
      network.stall();
      return restore;
    },
    forget: async (one) => server.removeUser(idOf(one)),
    close: async () => {
      for (const connector of opened) await connector.close();
      await network.close();
      await server.stop();
    },
  };
}
