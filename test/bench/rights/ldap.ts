import { Attribute, Change, Client, EqualityFilter } from 'ldapts';
import { CONNECTOR_ACCOUNT, SlapdServer, SUFFIX } from '../../support/slapd-server.js';
import { expectSo, placeNumbers, type Place, type Right, type Stage } from './right.js';

const groupDn = (at: number): string => `cn=ops ${at},ou=groups,${SUFFIX}`;

/** Groups of a real slapd, over StartTLS. */
export async function ldapStage(people: readonly string[]): Promise<Stage> {
  const slapd = await SlapdServer.start();
  const entry = (dn: string, lines: string): string => `dn: ${dn}\nchangetype: add\n${lines}\n`;
  await slapd.apply(
    [
      ...people.map((name) =>
        entry(`uid=${name},ou=people,${SUFFIX}`, `objectClass: inetOrgPerson\nuid: ${name}\ncn: ${name}\nsn: x\n`),
      ),
      ...placeNumbers.map((at) => entry(groupDn(at), `objectClass: groupOfNames\nmember: ${groupDn(at)}\n`)),
    ].join('\n'),
  );
  return {
    places: placeNumbers.map((at) => ({
      kind: 'ldap',
      settings: {
        url: `ldap://127.0.0.1:${slapd.port}`,
        ca: slapd.ca,
        bind_dn: CONNECTOR_ACCOUNT.dn,
        people_dn: `ou=people,${SUFFIX}`,
      },
      secrets: { password: CONNECTOR_ACCOUNT.password },
      target: { group_dn: groupDn(at) },
    })),
    held: async () => {
      const members = await Promise.all(placeNumbers.map((at) => slapd.values(groupDn(at), 'member')));
      return members.flat().filter((dn) => dn.startsWith('uid=')).length;
    },
    close: () => slapd.stop(),
  };
}

/** The same by ldapts alone. */
export async function ldapLibrary({ settings, secrets, target }: Place): Promise<Right> {
  const [group = '', people = ''] = [target['group_dn'], settings['people_dn']];
  const client = new Client({ url: settings['url'] ?? '' });
  await client.startTLS({ ca: [settings['ca'] ?? ''], host: '127.0.0.1' });
  await client.bind(settings['bind_dn'] ?? '', secrets['password'] ?? '');
  const found = new Map<string, string>();
  const has = async (dn: string): Promise<boolean> => {
    const filter = new EqualityFilter({ attribute: 'member', value: dn });
    return (await client.search(group, { scope: 'base', filter, attributes: ['1.1'] })).searchEntries.length > 0;
  };
  const change = (operation: 'add' | 'delete', dn: string): Promise<void> =>
    client.modify(group, new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) }));
  return {
    give: async (person) => {
      const filter = new EqualityFilter({ attribute: 'uid', value: person });
      const { searchEntries } = await client.search(people, { scope: 'sub', filter, attributes: ['entryUUID'] });
      const dn = searchEntries[0]?.dn ?? '';
      expectSo(!(await has(dn)), 'nobody is in the group');
      await change('add', dn);
      expectSo(await has(dn), 'somebody was added');
      found.set(person, dn);
    },
    take: async (person) => {
      const dn = found.get(person) ?? '';
      await change('delete', dn);
      expectSo(!(await has(dn)), 'somebody was removed');
    },
    close: () => client.unbind(),
  };
}
