import { POSTGRESQL_KIND, TargetGuard, type Connector, type Person } from '@curfew/server/parts';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inAnHour, patient, refusal } from '../../support/connector-calls.js';
import { LOCAL_PARTS } from '../../support/connector-parts.js';
import { PostgresServer, whyNoPostgres } from '../../support/postgres-server.js';
import { postgresStage, type PostgresStage } from '../../support/postgres-stage.js';
import { eventually } from '../../support/wait.js';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

for (const version of [15, 18] as const) {
  const reason = whyNoPostgres(version);
  describe(`a server of PostgreSQL ${version}`, function () {
    if (reason !== '') {
      it(`left out: ${reason}`);
      return;
    }
    this.timeout(60_000);
    let server: PostgresServer;
    let undo: (() => Promise<void> | void)[] = [];
    before(async () => {
      server = await PostgresServer.start(version);
    });
    after(() => server.stop());
    afterEach(async () => {
      for (const step of undo.reverse()) await step();
      undo = [];
    });

    const stageOf = async (target: Readonly<Record<string, string>> = {}): Promise<PostgresStage> => {
      const stage = await postgresStage(server, target);
      undo.push(() => stage.close());
      return stage;
    };
    const another = (stage: PostgresStage, given: Readonly<Record<string, string>>): Connector => {
      const connector = stage.another(given);
      undo.push(() => connector.close());
      return connector;
    };
    const subjectOf = async ({ connector }: PostgresStage, person: Person) => {
      const subject = await connector.findSubject(person, patient());
      assert.ok(subject);
      return subject;
    };
    const membersOf = (role: string): Promise<string> =>
      server.run(
        `select string_agg(m.rolname || ' by ' || g.rolname, ', ' order by m.rolname, g.rolname)
         from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.grantor
         join pg_roles r on r.oid = a.roleid where r.rolname = '${role.replaceAll("'", "''")}'`,
      );

    /** A person in psql who has done SET ROLE. They can be asked whether they are still there, and what they can read. */
    const sessionAs = async (stage: PostgresStage, { userName }: Person, asRole: boolean) => {
      const { command, args, env } = server.psqlCommand({ user: userName, password: stage.password });
      const child = spawn(command, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (said += text));
      }
      child.stdin.on('error', () => undefined);
      const ended = once(child, 'exit');
      undo.push(async () => {
        child.kill('SIGKILL');
        await ended;
      });
      const ask = async (statement: string): Promise<string> => {
        said = '';
        child.stdin.write(`${statement};\n\\echo asked\n`);
        await eventually(() => said.includes('asked') || child.exitCode !== null, {
          withinMs: 20_000,
          what: statement,
        });
        return said;
      };
      const answer = await ask(asRole ? `set role ${quote(stage.role)}` : 'select 1');
      const leave = (): void => void child.stdin.end();
      return { answer, leave, reads: () => ask(`table ${quote(stage.role)}`) };
    };
    const count = ({ userName }: Person): Promise<string> =>
      server.run(`select count(*) from pg_stat_activity where usename = '${userName}'`);

    describe('and open connections', () => {
      it('keeps no right in a connection that did SET ROLE', async () => {
        const stage = await stageOf();
        const [ann, ben] = stage.people;
        const subject = await subjectOf(stage, ann);
        await stage.connector.add(subject, inAnHour(), patient());
        await stage.byHand(ben, true);
        const session = await sessionAs(stage, ann, true);
        const other = await sessionAs(stage, ben, true);
        assert.doesNotMatch(await session.reads(), /denied/);
        await stage.connector.remove(subject, patient());
        assert.equal(await count(ann), '0');
        assert.match(await session.reads(), /terminating connection|closed the connection/);
        assert.doesNotMatch(await other.reads(), /denied|terminating/, "somebody else's connection was ended");
      });

      it('are kept when the resource says so, and this is found: SET ROLE outlives the revoke', async () => {
        const stage = await stageOf({ end_connections: 'no' });
        const subject = await subjectOf(stage, stage.people[0]);
        await stage.connector.add(subject, inAnHour(), patient());
        const session = await sessionAs(stage, stage.people[0], true);
        await stage.connector.remove(subject, patient());
        assert.doesNotMatch(await session.reads(), /denied|terminating/);
        assert.equal(await stage.truth(stage.people[0]), false);
        const { findings } = await stage.connector.describe(patient());
        assert.ok(findings.some((finding) => finding.includes('keeps the rights of the role until it ends')));
      });

      it('are named as what is left when Curfew may not end them', async () => {
        const stage = await stageOf();
        const subject = await subjectOf(stage, stage.people[0]);
        await stage.connector.add(subject, inAnHour(), patient());
        await server.run(`revoke pg_signal_backend from ${stage.account}`);
        const { findings } = await stage.connector.describe(patient());
        assert.deepEqual(findings, [
          `'${stage.account}' may not end the connections of people: it needs pg_signal_backend.`,
        ]);
        const session = await sessionAs(stage, stage.people[0], true);
        await assert.rejects(stage.connector.remove(subject, patient()), refusal(/it needs pg_signal_backend/));
        assert.equal(await stage.truth(stage.people[0]), false);
        assert.doesNotMatch(await session.reads(), /denied|terminating/);
        session.leave();
        await eventually(async () => (await count(stage.people[0])) === '0', { withinMs: 10_000 });
        await stage.connector.remove(subject, patient());
      });
    });

    describe('and grants', () => {
      it('needs no more than the role with its admin option and pg_signal_backend', async () => {
        const { connector, role } = await stageOf();
        const { text, findings } = await connector.describe(patient());
        assert.match(text, new RegExp(`^role '${role}' with 0 members \\(PostgreSQL ${version}\\.`));
        assert.deepEqual(findings, []);
      });

      it('says so when it lacks the admin option, and has changed nothing', async () => {
        const stage = await stageOf();
        const subject = await subjectOf(stage, stage.people[0]);
        await server.run(`revoke ${quote(stage.role)} from ${stage.account}`);
        const { findings } = await stage.connector.describe(patient());
        assert.deepEqual(findings, [
          `'${stage.account}' may not grant '${stage.role}': it needs that role WITH ADMIN OPTION.`,
        ]);
        await assert.rejects(
          stage.connector.add(subject, inAnHour(), patient()),
          refusal(/the server refuses: .*(denied|must have)/),
        );
        assert.equal(await membersOf(stage.role), '');
      });

      it(
        version >= 16 ? 'takes its own grant only, and names who else gave one' : 'takes the one grant that there is',
        async () => {
          const stage = await stageOf();
          const [ann] = stage.people;
          const subject = await subjectOf(stage, ann);
          await stage.connector.add(subject, inAnHour(), patient());
          await stage.byHand(ann, true);
          if (version < 16) {
            await stage.connector.remove(subject, patient());
            assert.equal(await stage.truth(ann), false);
            return;
          }
          await assert.rejects(
            stage.connector.remove(subject, patient()),
            refusal(
              new RegExp(`'${ann.userName}' still has '${stage.role}' by a grant of 'postgres', who must revoke it`),
            ),
          );
          const grants = await membersOf(stage.role);
          assert.equal(grants, `${ann.userName} by postgres, ${stage.account} by postgres`);
          assert.equal(await stage.connector.has(subject, patient()), true);
          await stage.byHand(ann, false);
          await stage.connector.remove(subject, patient());
          assert.equal(await stage.truth(ann), false);
        },
      );

      it('of a role without SET ROLE are given by those servers that can', async () => {
        const stage = await stageOf({ allow_set_role: 'no' });
        const [ann] = stage.people;
        const subject = await subjectOf(stage, ann);
        const { findings } = await stage.connector.describe(patient());
        if (version < 16) {
          assert.ok(findings.some((finding) => finding.includes('so nothing will be given')));
          await assert.rejects(stage.connector.add(subject, inAnHour(), patient()), refusal(/without SET ROLE/));
          assert.equal(await stage.truth(ann), false);
          return;
        }
        assert.deepEqual(findings, []);
        await stage.connector.add(subject, inAnHour(), patient());
        assert.equal(await stage.truth(ann), true);
        assert.match((await sessionAs(stage, ann, true)).answer, /permission denied to set role/);
      });

      it('of powerful roles are not given unless the resource allows it', async () => {
        const stage = await stageOf();
        const subject = await subjectOf(stage, stage.people[0]);
        for (const role of ['pg_write_server_files', 'postgres', 'mighty']) {
          if (role === 'mighty') await server.run('create role mighty bypassrls');
          const connector = another(stage, { role });
          const { findings } = await connector.describe(patient());
          assert.ok(
            findings.includes(
              `'${role}' reaches beyond a database, and will not be given unless the resource allows that.`,
            ),
          );
          await assert.rejects(connector.add(subject, inAnHour(), patient()), refusal(/reaches beyond a database/));
          assert.equal(await connector.has(subject, patient()), false);
        }
        await server.run(`grant mighty to ${stage.account} with admin option`);
        const allowed = another(stage, { role: 'mighty', allow_powerful_role: 'yes' });
        await allowed.add(subject, inAnHour(), patient());
        assert.equal(await allowed.has(subject, patient()), true);
        await allowed.remove(subject, patient());
        await server.run('drop role mighty');
      });

      it('leave the end of passwords alone', async () => {
        const stage = await stageOf();
        const [ann] = stage.people;
        const ends = () => server.run(`select rolvaliduntil from pg_roles where rolname = '${ann.userName}'`);
        const subject = await subjectOf(stage, ann);
        await stage.connector.add(subject, inAnHour(), patient());
        assert.equal(await ends(), '');
        await server.run(`alter role ${quote(ann.userName)} valid until '2099-01-01'`);
        const before = await ends();
        await stage.connector.remove(subject, patient());
        assert.equal(await ends(), before);
      });
    });

    describe('and names', () => {
      it('means exactly the role that is named', async () => {
        const longest = 'ö'.repeat(31) + 'x';
        const names = [
          '"; drop role x; --',
          `a"b'c\\d`,
          'a\nb',
          'Ω 用户 🧨',
          'public',
          'current_user',
          longest,
          '--help',
        ];
        const stage = await stageOf();
        for (const name of ['x', ...names]) {
          const created = name === 'public' ? 'public_' : name;
          await server.run(`create role ${quote(created)} login`);
          undo.push(async () => {
            await server.run(`drop role ${quote(created)}`);
          });
          const subject = await stage.connector.findSubject({ ...stage.stranger, userName: created }, patient());
          assert.equal(subject?.label, created);
          await stage.connector.add(subject, inAnHour(), patient());
          assert.deepEqual(await stage.connector.members(patient()), [subject]);
          await stage.connector.remove(subject, patient());
          assert.deepEqual(await stage.connector.members(patient()), []);
        }
        // The server would cut this to the 63 bytes of a name that exists.
        for (const userName of [`${longest}y`, 'X', 'x ', ' x', 'x\0']) {
          assert.equal(
            await stage.connector.findSubject({ ...stage.stranger, userName }, patient()),
            undefined,
            userName,
          );
        }
      });

      it('means exactly the role that a resource names', async () => {
        const stage = await stageOf();
        const subject = await subjectOf(stage, stage.people[0]);
        const role = `"; drop role "x"; --`;
        await server.run(`create role ${quote(role)}; grant ${quote(role)} to ${stage.account} with admin option`);
        const connector = another(stage, { role });
        await connector.add(subject, inAnHour(), patient());
        assert.match(await membersOf(role), new RegExp(`${stage.people[0].userName} by`));
        await connector.remove(subject, patient());
        assert.doesNotMatch(await membersOf(role), new RegExp(`${stage.people[0].userName} by`));
        for (const missing of [role.toUpperCase(), stage.role.toLowerCase(), 'x'.repeat(300), 'nobody']) {
          await assert.rejects(
            another(stage, { role: missing }).add(subject, inAnHour(), patient()),
            refusal(/has no role/),
          );
        }
      });

      it('finds logins by the mail address or as the admin says, and only logins, and not its own', async () => {
        const stage = await stageOf();
        const [ann, ben] = stage.people;
        const wanted = await subjectOf(stage, ben);
        assert.deepEqual(await stage.connector.findSubject({ ...ann, subject: ben.userName }, patient()), wanted);
        const byMail = another(stage, { person_value: 'mail_local_part' });
        const mails = [`${ben.userName}@example.org`, 'nobody@example.org'];
        assert.deepEqual(await byMail.findSubject({ ...ann, mailAddresses: mails }, patient()), wanted);
        const both = { ...ann, mailAddresses: [...mails, `${ann.userName}@example.org`] };
        await assert.rejects(byMail.findSubject(both, patient()), refusal(/several login roles of this person/));
        assert.equal(await stage.connector.findSubject({ ...ann, subject: stage.role }, patient()), undefined);
        await assert.rejects(
          stage.connector.findSubject({ ...ann, subject: stage.account }, patient()),
          refusal(/the role that Curfew itself uses/),
        );
      });

      it('knows a login through a rename, and takes nothing from the next one of that name', async () => {
        const stage = await stageOf();
        const [ann] = stage.people;
        const subject = await subjectOf(stage, ann);
        await stage.connector.add(subject, inAnHour(), patient());
        await server.run(
          `alter role ${quote(ann.userName)} rename to "renamed ${version}";
           create role ${quote(ann.userName)} login password '${stage.password}'`,
        );
        await stage.byHand(ann, true);
        assert.equal(await stage.connector.has(subject, patient()), true);
        await stage.connector.remove(subject, patient());
        assert.equal(await stage.connector.has(subject, patient()), false);
        assert.equal(await stage.truth(ann), true);
        assert.equal(await membersOf(stage.role), `${ann.userName} by postgres, ${stage.account} by postgres`);
      });
    });

    describe('and the way to it', () => {
      it('must show a certificate that is vouched for', async () => {
        const stage = await stageOf();
        await assert.rejects(another(stage, { ca: '' }).describe(patient()), refusal(/certificate/));
        assert.deepEqual(await count({ ...stage.people[0], userName: stage.account }), '0');
      });

      it('is told when it is not encrypted', async () => {
        const { findings } = await another(await stageOf(), { tls: 'off' }).describe(patient());
        assert.deepEqual(findings, ['The connection is not encrypted.']);
      });

      it('is refused with a password that is wrong', async () => {
        const { config } = await stageOf();
        const connector = POSTGRESQL_KIND.open({ ...config, secrets: { password: 'wrong' } }, LOCAL_PARTS);
        undo.push(() => connector.close());
        await assert.rejects(connector.describe(patient()), refusal(/does not take this user and password/));
      });

      it('goes nowhere that the server does not allow', async () => {
        const { config } = await stageOf();
        const guard = new TargetGuard(false, () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]));
        for (const host of ['127.0.0.1', 'database.example.org', '::1']) {
          const settings = { ...config.settings, host };
          const connector = POSTGRESQL_KIND.open({ ...config, settings }, { ...LOCAL_PARTS, guard });
          await assert.rejects(connector.describe(patient()), refusal(/not allowed|local|address/));
          await connector.close();
        }
      });
    });
  });
}
