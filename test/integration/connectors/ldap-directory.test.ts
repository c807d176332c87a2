import { LDAP_KIND, TargetGuard, type Connector, type Person } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inAnHour, patient, refusal } from '../../support/connector-calls.js';
import { LOCAL_PARTS } from '../../support/connector-parts.js';
import { ldapStage, type GroupClass, type LdapStage } from '../../support/ldap-stage.js';
import { describeOn } from '../../support/machine-needs.js';
import { SlapdServer, SUFFIX } from '../../support/slapd-server.js';

describeOn([{ program: 'slapd' }, { program: 'ldapsearch' }], 'an LDAP directory', function () {
  this.timeout(60_000);
  let slapd: SlapdServer;
  let undo: (() => Promise<void> | void)[] = [];
  before(async () => {
    slapd = await SlapdServer.start();
  });
  after(() => slapd.stop());
  afterEach(async () => {
    for (const step of undo.reverse()) await step();
    undo = [];
  });

  const stageOf = async (groupClass: GroupClass = 'groupOfNames', from = slapd): Promise<LdapStage> => {
    const stage = await ldapStage(from, groupClass);
    undo.push(() => stage.close());
    return stage;
  };
  const another = (stage: LdapStage, given: Readonly<Record<string, string>>): Connector => {
    const connector = stage.another(given);
    undo.push(() => connector.close());
    return connector;
  };
  const subjectOf = async (stage: LdapStage, person: Person) => {
    const subject = await stage.connector.findSubject(person, patient());
    assert.ok(subject);
    return subject;
  };
  /** A server that says one thing to whatever it is told, and what it was told. */
  const scripted = async (answer: Buffer): Promise<{ readonly url: string; readonly heard: Buffer[] }> => {
    const heard: Buffer[] = [];
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('data', (piece) => {
          heard.push(piece);
          socket.write(answer);
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(async () => {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, 'close');
      server.close();
      await closed;
    });
    return { url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
  };

  describe('and the way to it', () => {
    it('is reached by LDAPS as well', async () => {
      const stage = await stageOf();
      const connector = another(stage, { url: `ldaps://127.0.0.1:${slapd.securePort}` });
      const subject = await connector.findSubject(stage.people[0], patient());
      assert.ok(subject);
      await connector.add(subject, inAnHour(), patient());
      assert.equal(await stage.truth(stage.people[0]), true);
    });

    it('must show a certificate that is vouched for', async () => {
      const stage = await stageOf();
      const stranger = await SlapdServer.start();
      undo.push(() => stranger.stop());
      for (const url of [stage.config.settings['url'] ?? '', `ldaps://127.0.0.1:${slapd.securePort}`]) {
        await assert.rejects(another(stage, { url, ca: stranger.ca }).describe(patient()), refusal(/certificate/));
        await assert.rejects(another(stage, { url, ca: '' }).describe(patient()), refusal(/certificate/));
      }
    });

    it('is not told the password without TLS', async () => {
      const stage = await stageOf();
      // The result protocolError (2), then success with something after it: LDAP messages in BER.
      const answers = [
        { answer: '300c02010178070a010204000400', said: /does not start TLS \(LDAP result 2\)/ },
        { answer: '300c02010178070a010004000400300c02010261070a010004000400', said: /more in the clear/ },
        { answer: '485454502f312e3120343030', said: /does not speak LDAP/ },
      ];
      for (const { answer, said } of answers) {
        const { url, heard } = await scripted(Buffer.from(answer, 'hex'));
        await assert.rejects(another(stage, { url }).describe(patient()), refusal(said));
        assert.ok(!Buffer.concat(heard).includes('secret'));
      }
    });

    it('without encryption is used only when the settings say so, and this is found', async () => {
      const stage = await stageOf();
      const connector = another(stage, { encryption: 'none' });
      // This directory takes no password in the clear: what it refuses is that.
      await assert.rejects(connector.describe(patient()), refusal(/confidentiality required|Code: 0xd/i));
    });

    it('goes nowhere that the server does not allow', async () => {
      const { config } = await stageOf();
      const guard = new TargetGuard(false, () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
      for (const host of ['127.0.0.1', 'directory.example.org', '[::1]']) {
        const settings = { ...config.settings, url: `ldap://${host}:${slapd.port}` };
        const connector = LDAP_KIND.open({ ...config, settings }, { ...LOCAL_PARTS, guard });
        await assert.rejects(connector.describe(patient()), refusal(/not allowed|local|address/));
        await connector.close();
      }
    });

    it('is refused with a password that is wrong', async () => {
      const { config } = await stageOf();
      const connector = LDAP_KIND.open({ ...config, secrets: { password: 'wrong' } }, LOCAL_PARTS);
      undo.push(() => connector.close());
      await assert.rejects(connector.describe(patient()), refusal(/does not take the bind DN with this password/));
    });

    it('does not follow referrals', async () => {
      const stage = await stageOf();
      const { url, heard } = await scripted(Buffer.alloc(0));
      const place = `ou=elsewhere,ou=people,${SUFFIX}`;
      await slapd.apply(
        `dn: ${place}\nchangetype: add\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ${url}/${place}\n`,
      );
      undo.push(() =>
        slapd.apply(`dn: ${place}\nchangetype: delete\ncontrol: 2.16.840.1.113730.3.4.2 true\n`).catch(() => undefined),
      );
      assert.ok(await stage.connector.findSubject(stage.people[0], patient()));
      assert.equal(await stage.connector.findSubject(stage.stranger, patient()), undefined);
      const referred = another(stage, { group_dn: `cn=ops,${place}` });
      await assert.rejects(referred.describe(patient()), refusal(/referrals are not followed/));
      assert.deepEqual(heard, []);
    });
  });

  describe('and its people', () => {
    it('finds them by the attribute and the value that the settings name', async () => {
      const stage = await stageOf();
      const [ann] = stage.people;
      const wanted = await subjectOf(stage, ann);
      const mail = another(stage, { person_attribute: 'mail', person_value: 'mail' });
      assert.deepEqual(await mail.findSubject({ ...ann, userName: 'x' }, patient()), wanted);
      const local = another(stage, { person_value: 'mail_local_part' });
      const other = { ...ann, userName: 'x', mailAddresses: [`${ann.userName}@corp.example`] };
      assert.deepEqual(await local.findSubject(other, patient()), wanted);
      assert.equal(await local.findSubject({ ...other, mailAddresses: [] }, patient()), undefined);
    });

    it('finds them as the admin says, by name or by DN, and not outside the place of people', async () => {
      const stage = await stageOf();
      const [ann, ben] = stage.people;
      const wanted = await subjectOf(stage, ben);
      for (const subject of [ben.userName, stage.dnOf(ben), stage.dnOf(ben).toUpperCase()]) {
        assert.deepEqual(await stage.connector.findSubject({ ...ann, subject }, patient()), wanted);
      }
      for (const subject of [`cn=curfew,${SUFFIX}`, stage.groupDn, `ou=people,${SUFFIX}`]) {
        assert.equal(await stage.connector.findSubject({ ...ann, subject }, patient()), undefined, subject);
      }
    });

    it('says so when there are several', async () => {
      const stage = await stageOf();
      const connector = another(stage, { person_attribute: 'sn' });
      await assert.rejects(
        connector.findSubject({ ...stage.stranger, subject: 'x' }, patient()),
        refusal(/several people of this name: 'uid=.*' and 'uid=/),
      );
    });

    it('does not take a look-alike for them', async () => {
      const stage = await stageOf();
      const [ann] = stage.people;
      const wide = String.fromCodePoint(...Array.from(ann.userName, (letter) => letter.charCodeAt(0) + 0xfee0));
      // The directory itself takes these for the same.
      assert.equal(await slapd.fits(stage.dnOf(ann), `(uid=${wide})`), true);
      for (const userName of [wide, ` ${ann.userName} `, `${ann.userName}\u00ad`]) {
        assert.equal(await stage.connector.findSubject({ ...ann, userName }, patient()), undefined, userName);
      }
      const shouted = { ...ann, userName: ann.userName.toUpperCase() };
      assert.deepEqual(await stage.connector.findSubject(shouted, patient()), await subjectOf(stage, ann));
    });

    it('keeps apart people whose DNs hold what DNs are made of', async () => {
      const stage = await stageOf();
      const place = `ou=people,${SUFFIX}`;
      const rdns = ['uid=a\\2cuid\\3dann', 'uid=a\\22b\\22\\3bc', 'uid=\\23x', 'uid=Ω 用户 🧨'];
      const names = ['a,uid=ann', 'a"b";c', '#x', 'Ω 用户 🧨'];
      for (const [at, rdn] of rdns.entries()) {
        const dn = `${rdn},${place}`;
        const encoded = Buffer.from(names[at] ?? '').toString('base64');
        await slapd.apply(
          `dn:: ${Buffer.from(dn).toString('base64')}\nchangetype: add\nobjectClass: inetOrgPerson\nuid:: ${encoded}\ncn: x\nsn: y\n`,
        );
        undo.push(() => slapd.apply(`dn:: ${Buffer.from(dn).toString('base64')}\nchangetype: delete\n`));
        const subject = await stage.connector.findSubject({ ...stage.stranger, userName: names[at] ?? '' }, patient());
        assert.ok(subject, names[at]);
        await stage.connector.add(subject, inAnHour(), patient());
        const ids = (await stage.connector.members(patient())).map(({ id }) => id);
        assert.deepEqual(ids, [subject.id]);
        assert.equal(await slapd.fits(stage.groupDn, `(member=${dn.replaceAll('\\', '\\5c')})`), true);
        await stage.connector.remove(subject, patient());
        assert.deepEqual(await stage.connector.members(patient()), []);
      }
    });
  });

  describe('and its groups', () => {
    it('lets the group itself stand in for the last member when it may not be empty', async () => {
      for (const groupClass of ['groupOfNames', 'groupOfUniqueNames'] as const) {
        const stage = await stageOf(groupClass);
        const ann = await subjectOf(stage, stage.people[0]);
        await stage.connector.add(ann, inAnHour(), patient());
        await slapd.apply(
          `dn: ${stage.groupDn}\nchangetype: modify\ndelete: ${stage.attribute}\n${stage.attribute}: ${stage.groupDn}\n`,
        );
        await stage.connector.remove(ann, patient());
        assert.deepEqual(await slapd.values(stage.groupDn, stage.attribute), [stage.groupDn]);
        assert.deepEqual(await stage.connector.members(patient()), []);
        const { findings } = await stage.connector.describe(patient());
        assert.ok(findings.some((finding) => finding.includes('itself stands in')));
        await stage.connector.add(ann, inAnHour(), patient());
        assert.equal(await stage.truth(stage.people[0]), true);
      }
    });

    it('says what is wrong with a group that is none, or is not there', async () => {
      const stage = await stageOf();
      const none = another(stage, { group_dn: `cn=nothing,ou=groups,${SUFFIX}` });
      await assert.rejects(none.describe(patient()), refusal(/has no group 'cn=nothing/));
      const person = another(stage, { group_dn: stage.dnOf(stage.people[0]) });
      await assert.rejects(person.describe(patient()), refusal(/no group of a known class/));
    });

    it('is told that nobody will be found when the place of people is not there', async () => {
      const stage = await stageOf();
      const { findings } = await another(stage, { people_dn: `ou=nowhere,${SUFFIX}` }).describe(patient());
      assert.ok(findings.some((finding) => finding.includes('nobody will be found')));
    });

    it('says that it may not write where the directory does not let it, and has changed nothing', async () => {
      const stage = await stageOf();
      const place = `cn=foreign,ou=people,${SUFFIX}`;
      await slapd.apply(`dn: ${place}\nchangetype: add\nobjectClass: groupOfNames\ncn: foreign\nmember: ${place}\n`);
      undo.push(() => slapd.apply(`dn: ${place}\nchangetype: delete\n`));
      const foreign = another(stage, { group_dn: place });
      const ann = await subjectOf(stage, stage.people[0]);
      await assert.rejects(foreign.add(ann, inAnHour(), patient()), refusal(/does not let the bind DN do this/));
      assert.deepEqual(await slapd.values(place, 'member'), [place]);
    });
  });

  describe('that lets members follow their entries', () => {
    it('is followed through a rename, and nobody who gets the old name loses what they have', async () => {
      const following = await SlapdServer.start({ followsRenames: true });
      undo.push(() => following.stop());
      const stage = await stageOf('groupOfNames', following);
      const [ann] = stage.people;
      const subject = await subjectOf(stage, ann);
      await stage.connector.add(subject, inAnHour(), patient());
      await following.apply(
        `dn: ${stage.dnOf(ann)}\nchangetype: modrdn\nnewrdn: uid=renamed\ndeleteoldrdn: 1\nnewsuperior: ou=people,${SUFFIX}\n`,
      );
      const renamed = `uid=renamed,ou=people,${SUFFIX}`;
      assert.equal(await following.fits(stage.groupDn, `(member=${renamed})`), true);
      assert.equal(await stage.connector.has(subject, patient()), true);
      await following.apply(
        `dn: ${stage.dnOf(ann)}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ${ann.userName}\ncn: new\nsn: x\n`,
      );
      await stage.byHand(ann, true);
      await stage.connector.remove(subject, patient());
      assert.equal(await following.fits(stage.groupDn, `(member=${renamed})`), false);
      assert.equal(await stage.connector.has(subject, patient()), false);
      assert.equal(await stage.truth(ann), true, 'the new person of the old name has lost it');
    });
  });
});
