import { ScimServer } from '../../support/scim-server.js';
import { JsonHttp } from './json-http.js';
import { expectSo, placeNumbers, type Place, type Right, type Stage } from './right.js';

const groupId = (at: number): string => `g-${at}`;

/** Groups of an independent SCIM server. */
export async function scimStage(people: readonly string[]): Promise<Stage> {
  const server = await ScimServer.start();
  for (const userName of people) server.addUser({ id: `id-of-${userName}`, userName });
  for (const at of placeNumbers) server.addGroup(groupId(at), `ops ${at}`);
  return {
    places: placeNumbers.map((at) => ({
      kind: 'scim',
      settings: { url: server.url },
      secrets: { token: server.token },
      target: { group: groupId(at), group_by: 'id' },
    })),
    held: () => Promise.resolve(placeNumbers.reduce((sum, at) => sum + server.memberIds(groupId(at)).length, 0)),
    close: () => server.stop(),
  };
}

interface Group {
  readonly members?: readonly { readonly value: string }[];
}

/** The same by HTTP alone. */
export function scimLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const http = new JsonHttp(settings['url'] ?? '', {
    authorization: `Bearer ${secrets['token'] ?? ''}`,
    accept: 'application/scim+json',
    'content-type': 'application/scim+json',
  });
  const group = `/Groups/${target['group'] ?? ''}`;
  const found = new Map<string, string>();
  const has = async (id: string): Promise<boolean> => {
    const { body } = await http.call('GET', group);
    return (body as Group).members?.some(({ value }) => value === id) === true;
  };
  const change = async (operation: object): Promise<void> => {
    const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
    const { status } = await http.call('PATCH', group, { schemas, Operations: [operation] });
    expectSo(status < 300, 'the group was changed');
  };
  return Promise.resolve({
    give: async (person) => {
      const filter = encodeURIComponent(`userName eq "${person}"`);
      const { body } = await http.call('GET', `/Users?filter=${filter}`);
      const id = (body as { readonly Resources?: readonly { readonly id: string }[] }).Resources?.[0]?.id ?? '';
      expectSo(!(await has(id)), 'nobody is in the group');
      await change({ op: 'add', path: 'members', value: [{ value: id }] });
      expectSo(await has(id), 'somebody was added');
      found.set(person, id);
    },
    take: async (person) => {
      const id = found.get(person) ?? '';
      await change({ op: 'remove', path: `members[value eq "${id}"]` });
      expectSo(!(await has(id)), 'somebody was removed');
    },
    close: () => http.close(),
  });
}
