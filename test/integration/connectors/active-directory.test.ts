import { LDAP_KIND, type Connector, type Person } from '@curfew/server/parts';
import { HOUR, instantMs, ManualClock, MINUTE } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ActiveDirectory, AD_GROUP, AD_PEOPLE } from '../../support/active-directory.js';
import { patient } from '../../support/connector-calls.js';
import { LOCAL_PARTS, withDefaults } from '../../support/connector-parts.js';

const person = (userName: string): Person => ({ userName, displayName: '', mailAddresses: [], subject: '' });

describe('Active Directory, as far as it can be recorded', function () {
  this.timeout(60_000);
  let directory: ActiveDirectory;
  let connector: Connector;
  const clock = new ManualClock(1_700_000_000_000, 0);

  const start = async (options: { readonly endsMemberships: boolean; readonly rangeSize?: number }): Promise<void> => {
    directory = await ActiveDirectory.start({ rangeSize: 1500, ...options });
    const config = {
      settings: withDefaults(LDAP_KIND.settings, {
        url: directory.url,
        encryption: 'none',
        bind_dn: 'curfew@corp.example',
        people_dn: AD_PEOPLE,
        person_attribute: 'sAMAccountName',
      }),
      secrets: { password: 'secret' },
      target: withDefaults(LDAP_KIND.target, { group_dn: AD_GROUP }),
    };
    connector = LDAP_KIND.open(config, { ...LOCAL_PARTS, clock });
  };
  afterEach(async () => {
    await connector.close();
    await directory.stop();
  });
  const subjectOf = async (name: string) => {
    const subject = await connector.findSubject(person(name), patient());
    assert.ok(subject);
    return subject;
  };

  it('gives its members in ranges, and all of them are read', async () => {
    await start({ endsMemberships: false, rangeSize: 150 });
    for (let at = 0; at < 310; at++) directory.members.set(directory.addPerson(`p${at}`), undefined);
    const members = await connector.members(patient());
    assert.deepEqual(directory.asked, ['member', 'member;range=150-*', 'member;range=300-*']);
    assert.equal(new Set(members.map(({ id }) => id)).size, 310);
    const last = await subjectOf('P309');
    assert.ok(members.some(({ id }) => id === last.id));
    assert.equal(await connector.has(last, patient()), true);
  });

  it('ends a membership by itself where it can, and its end is moved', async () => {
    await start({ endsMemberships: true, rangeSize: 2 });
    for (const name of ['x', 'y', 'z']) directory.members.set(directory.addPerson(name), undefined);
    const dn = directory.addPerson('ann');
    const ann = await subjectOf('ann');
    await connector.add(ann, instantMs(clock.now() + HOUR), patient());
    assert.equal(directory.members.get(dn), 3600);
    await connector.add(ann, instantMs(clock.now() + 90 * MINUTE + 1), patient());
    assert.equal(directory.members.get(dn), 5401);
    assert.equal(directory.members.size, 4);
    assert.ok(
      (await connector.describe(patient())).findings.some((finding) => finding.includes('ends memberships by itself')),
    );
    await connector.remove(ann, patient());
    assert.equal(directory.members.has(dn), false);
  });

  it('gives no end to a membership that was made without one', async () => {
    await start({ endsMemberships: true });
    const dn = directory.addPerson('ann');
    directory.members.set(dn, undefined);
    await connector.add(await subjectOf('ann'), instantMs(clock.now() + HOUR), patient());
    assert.deepEqual([...directory.members], [[dn, undefined]]);
  });

  it('is told no end where its feature is off, and its own words for what was done already are no errors', async () => {
    await start({ endsMemberships: false });
    const dn = directory.addPerson('ann');
    const ann = await subjectOf('ann');
    assert.match(ann.id, /^cn=ann,cn=users,dc=corp,dc=example;objectGUID=616e6e(ff){13}$/);
    const until = instantMs(clock.now() + HOUR);
    await Promise.all([connector.add(ann, until, patient()), connector.add(ann, until, patient())]);
    assert.deepEqual([...directory.members], [[dn, undefined]]);
    await Promise.all([connector.remove(ann, patient()), connector.remove(ann, patient())]);
    assert.equal(directory.members.size, 0);
    await connector.remove(ann, patient());
  });
});
