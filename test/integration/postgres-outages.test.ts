import { DeviceServiceService, Role, SessionServiceService, SessionState, UserServiceService } from '@curfew/proto';
import { PostgresLedger, type Ledger } from '@curfew/server/parts';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { rmSync } from 'node:fs';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { assertWholeAuditLog } from '../support/whole-audit-log.js';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { noteKey } from '../support/ledger-contract.js';
import { postgresOptions } from '../support/ledger-of-tests.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startReplica, type Replica } from '../support/replica.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { scratchFolder } from '../support/scratch.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 20_000 } as const;

describeOn([{ postgres: 15 }], 'a PostgreSQL that fails', function () {
  this.timeout(60_000);
  let postgres: PostgresServer;
  let folder: string;

  before(async () => {
    postgres = await PostgresServer.start(15, { fsync: 'on' });
    folder = scratchFolder('outages');
  });
  after(async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  describe('under a server', () => {
    let replica: Replica;
    let operator: ApiClient;
    let device: ScriptedDevice;

    before(async () => {
      replica = await startReplica(await postgresOptions(postgres, folder));
      operator = new ApiClient(replica.address, replica.caFile, { token: replica.running.firstOwnerToken ?? '' });
      const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
      device = await ScriptedDevice.enroll(replica, secret, 'web-1', ['alice']);
      await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    });
    after(async () => {
      device.close();
      operator.close();
      await replica.close();
    });

    const health = async () => {
      const answer = await fetch(new URL('/readyz', replica.running.consoleUrl));
      return { status: answer.status, problems: ((await answer.json()) as { problems?: string[] }).problems };
    };
    const grant = async (): Promise<string> => {
      const wish = { user: 'alice', device: 'web-1', account: '', duration: { seconds: 600n, nanos: 0 } };
      const given = { ...wish, reason: 'why', resource: '', options: undefined };
      return (await operator.unary(SessionServiceService.grantSession, given)).session?.id ?? '';
    };
    const revoke = (id: string) =>
      operator.unary(SessionServiceService.revokeSessions, {
        selection: { $case: 'sessions', value: { ids: [id] } },
        reason: 'enough',
        idempotencyKey: '',
      } as never);
    const stateOf = async (sessionId: string): Promise<SessionState | undefined> =>
      (await operator.unary(SessionServiceService.getSession, { sessionId })).session?.state;
    const is = (id: string, state: SessionState) => eventually(async () => (await stateOf(id)) === state, SOON);

    for (const how of ['crash', 'shutdown'] as const)
      it(`says so after a ${how}, and goes on by itself when it is back, with nothing lost`, async () => {
        const id = await grant();
        await is(id, SessionState.ACTIVE);
        await postgres.down(how);
        assert.equal((await refusalOf(revoke(id)))?.code, 'LEDGER_UNAVAILABLE');
        const { problems } = await eventually(async () => {
          const said = await health();
          return said.status === 503 && said;
        }, SOON);
        assert.deepEqual(problems, ['ledger_unreadable']);
        await postgres.up();
        await eventually(async () => (await health()).status === 200, SOON);
        await eventually(() => device.goOnline().then(() => true), SOON);
        await is(id, SessionState.ACTIVE);
        await revoke(id);
        await is(id, SessionState.ENDED);
        await assertWholeAuditLog(replica.running.ledger);
      });

    it('says so while it takes no writes, and still shows what there is', async () => {
      const id = await grant();
      await is(id, SessionState.ACTIVE);
      // Who connects from then on finds it, and who is connected has been told before.
      const set = async (value: string): Promise<void> => {
        await postgres.run(`alter system set default_transaction_read_only = ${value}; select pg_reload_conf()`);
        const isSet = async () => (await postgres.run('show default_transaction_read_only')) === value;
        await eventually(isSet, { ...SOON, what: `default_transaction_read_only = ${value}` });
      };
      await set('on');
      const refused = await eventually(async () => {
        const refusal = await refusalOf(revoke(id));
        return refusal?.code === 'LEDGER_UNAVAILABLE' ? refusal : undefined;
      }, SOON);
      assert.match(refused.text, /takes no writes now/);
      assert.equal(await stateOf(id), SessionState.ACTIVE);
      const { problems } = await eventually(async () => {
        const said = await health();
        return said.status === 503 && said;
      }, SOON);
      assert.deepEqual(problems, ['ledger_unwritable']);
      await set('off');
      await eventually(async () => (await refusalOf(revoke(id))) === undefined, SOON);
      await is(id, SessionState.ENDED);
      await eventually(async () => (await health()).status === 200, SOON);
    });
  });

  describe('in the middle of a commit', () => {
    let proxy: CuttingProxy;
    let ledger: Ledger;
    const open = (url: string): Promise<Ledger> =>
      PostgresLedger.open({ url, noteKey, clock: new SystemClock(), random: systemRandom, logger: silentLogger });

    beforeEach(async () => {
      await postgres.run('drop schema public cascade; create schema public');
      proxy = await CuttingProxy.start(postgres.port);
      ledger = await open(postgres.urlWithoutTls(proxy.port));
    });
    afterEach(async () => {
      await ledger.close();
      await proxy.close();
    });

    const note = (id: string): Promise<void> =>
      ledger.write(async (tx) => {
        await tx.db.insertInto('ledger_meta').values({ key: id, value: 'x' }).execute();
        tx.audit({ type: 'test.noted', actor: { kind: 'server' }, subject: id });
        tx.changed('user', id);
      });
    const noted = async (): Promise<string[]> => {
      const rows = await ledger.read((db) =>
        db.selectFrom('ledger_meta').select('key').where('value', '=', 'x').orderBy('key').execute(),
      );
      return rows.map(({ key }) => key);
    };
    const audited = async (): Promise<string[]> =>
      (await ledger.read((db) => db.selectFrom('audit_event').select('subject').orderBy('idx').execute())).map(
        ({ subject }) => subject,
      );

    it('is asked what became of it: what was committed is told as done', async () => {
      const told: string[] = [];
      ledger.onChange((changes) => told.push(...changes.map(({ id }) => id)));
      await note('a');
      proxy.cutNext('after');
      await note('b');
      assert.equal(proxy.cuts, 1);
      await note('c');
      assert.deepEqual(
        [await noted(), await audited(), told],
        [
          ['a', 'b', 'c'],
          ['a', 'b', 'c'],
          ['a', 'b', 'c'],
        ],
      );
    });

    it('is asked what became of it: what was not committed is told as not done', async () => {
      await note('a');
      proxy.cutNext('before');
      await assert.rejects(note('b'), { code: 'LEDGER_UNAVAILABLE' });
      assert.equal(proxy.cuts, 1);
      await note('c');
      assert.deepEqual(
        [await noted(), await audited()],
        [
          ['a', 'c'],
          ['a', 'c'],
        ],
      );
    });

    for (const cut of ['before', 'after'] as const)
      it(`is not needed where a connection is found to be lost ${cut} its beginning: another one is asked`, async () => {
        await note('a');
        proxy.cutNext(cut, false, 'begin');
        await note('b');
        assert.equal(proxy.cuts, 1);
        assert.deepEqual(
          [await noted(), await audited()],
          [
            ['a', 'b'],
            ['a', 'b'],
          ],
        );
        proxy.cutNext(cut, true, 'begin');
        await assert.rejects(note('c'), { code: 'LEDGER_UNAVAILABLE' });
        proxy.open();
        await eventually(() => note('d').then(() => true), SOON);
        assert.deepEqual(await noted(), ['a', 'b', 'd']);
      });

    it('is no end of the server, nor is one in the middle of a read', async () => {
      const reading = ledger.read((db) => sql`select pg_sleep(60)`.execute(db));
      const refused = assert.rejects(reading, { code: 'LEDGER_UNAVAILABLE' });
      const ended = () =>
        postgres.run(`select count(pg_terminate_backend(pid)) from pg_stat_activity
          where application_name = 'curfew-server reads' and query like '%pg_sleep(60)%'`);
      await eventually(async () => (await ended()) === '1', SOON);
      await refused;
      await note('a');
      assert.deepEqual(await noted(), ['a']);
    });

    it('is refused, as reads are, where a ledger is older than it was, and all is well again with what was missing', async () => {
      await note('a');
      await note('b');
      await postgres.run(
        `create table kept as select * from change where revision = 2; delete from change where revision = 2`,
      );
      const older = { code: 'LEDGER_UNAVAILABLE', message: /older one than this server has seen \(revision 2\)/ };
      await assert.rejects(note('c'), older);
      await assert.rejects(noted(), older);
      assert.match(ledger.problem, older.message);
      // Neither is it told to who comes by another connection.
      await assert.rejects(note('c'), older);
      await assert.rejects(noted(), older);
      await postgres.run('insert into change select * from kept');
      await note('c');
      assert.deepEqual([await noted(), await audited(), ledger.problem], [['a', 'b', 'c'], ['a', 'b', 'c'], '']);
    });

    it('is refused where another connection finds PostgreSQL set to forget', async () => {
      await note('a');
      await postgres.run('alter database postgres set synchronous_commit = off');
      try {
        await postgres.run(
          `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'curfew-server %'`,
        );
        const unsafe = { code: 'LEDGER_UNAVAILABLE', message: /synchronous_commit = off/ };
        await assert.rejects(note('b'), unsafe);
        assert.deepEqual(await noted(), ['a']);
      } finally {
        await postgres.run('alter database postgres reset all');
      }
      await note('c');
      assert.deepEqual(await noted(), ['a', 'c']);
    });

    it('is not guessed about when it cannot be asked', async () => {
      await note('a');
      proxy.cutNext('before', true);
      await assert.rejects(note('b'), { code: 'LEDGER_OUTCOME_UNKNOWN' });
      proxy.open();
      await eventually(() => note('c').then(() => true), SOON);
      assert.deepEqual(
        [await noted(), await audited()],
        [
          ['a', 'c'],
          ['a', 'c'],
        ],
      );
    });
  });

  for (const { setting, says } of [
    { setting: 'synchronous_commit = off', says: /synchronous_commit = off/ },
    { setting: "default_transaction_isolation = 'serializable'", says: undefined },
  ])
    it(`is ${says === undefined ? 'taken' : 'refused'} with ${setting}`, async () => {
      await postgres.run('drop schema public cascade; create schema public');
      await postgres.run(`alter database postgres set ${setting}`);
      try {
        const opened = PostgresLedger.open({
          url: postgres.url,
          noteKey,
          clock: new SystemClock(),
          random: systemRandom,
          logger: silentLogger,
        });
        if (says === undefined) await (await opened).close();
        else await assert.rejects(opened, { code: 'STORAGE_UNSAFE', message: says });
      } finally {
        await postgres.run('alter database postgres reset all');
      }
    });
});
