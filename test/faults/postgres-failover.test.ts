import { DeviceServiceService, Role, SessionServiceService, SessionState, UserServiceService } from '@curfew/proto';
import { PostgresLedger } from '@curfew/server/parts';
import { silentLogger, SystemClock, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import { ApiClient, refusalOf } from '../support/api-client.js';
import { ControlPlane } from '../support/control-plane.js';
import { shareOf } from '../support/fault-share.js';
import { noteKey } from '../support/ledger-contract.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresCluster } from '../support/postgres-cluster.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { eventually } from '../support/wait.js';
import { assertWholeAuditLog } from '../support/whole-audit-log.js';

const SOON = { withinMs: 30_000 } as const;
const AWAY = 'LEDGER_UNAVAILABLE';
/** How many lead there: the second kind of Curfew's locks. */
const LEADERS = `select count(*) from pg_locks where locktype = 'advisory' and objid = 2 and granted`;

/** One server of the cluster, and its owner. */
class Side {
  private constructor(
    readonly plane: ControlPlane,
    readonly owner: ApiClient,
  ) {}

  static async start(cluster: PostgresCluster, token?: string): Promise<Side> {
    const plane = await ControlPlane.start(cluster.options);
    if (token !== undefined) plane.ownerToken = token;
    return new Side(plane, new ApiClient(plane.address, plane.caFile, { token: plane.ownerToken }));
  }

  get server() {
    return { address: this.plane.address, caFile: this.plane.caFile };
  }

  /** What it says of itself to those who send it work. */
  async ready(): Promise<{ status: number; problems: string[] }> {
    const answer = await fetch(`http://127.0.0.1:${this.plane.httpPort}/readyz`);
    return { status: answer.status, problems: ((await answer.json()) as { problems?: string[] }).problems ?? [] };
  }

  isReady = () =>
    eventually(async () => (await this.ready()).status === 200, { ...SOON, what: 'a server that is ready' });

  isNotReady = (problem: string) =>
    eventually(async () => {
      const { status, problems } = await this.ready();
      return status === 503 && problems.includes(problem);
    }, SOON);

  async grant(): Promise<string> {
    const wish = { user: 'alice', device: 'web-1', account: '', duration: { seconds: 3600n, nanos: 0 } };
    const given = { ...wish, reason: 'why', resource: '', options: undefined };
    return (await this.owner.unary(SessionServiceService.grantSession, given)).session?.id ?? '';
  }

  revoke = (id: string) =>
    this.owner.unary(SessionServiceService.revokeSessions, {
      selection: { $case: 'sessions', value: { ids: [id] } },
      reason: 'enough',
      idempotencyKey: '',
    } as never);

  state = async (sessionId: string): Promise<SessionState | undefined> =>
    (await this.owner.unary(SessionServiceService.getSession, { sessionId })).session?.state;

  is = (id: string, state: SessionState) =>
    eventually(async () => (await this.state(id)) === state, { ...SOON, what: `a session ${SessionState[state]}` });

  /** Enrols a device that is linked here. */
  async device(): Promise<ScriptedDevice> {
    const { secret } = await this.owner.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    const device = await ScriptedDevice.enroll(this.server, secret, 'web-1', ['alice']);
    await this.owner.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
    return device;
  }

  async stop(): Promise<void> {
    this.owner.close();
    await this.plane.dispose();
  }
}

/** Whether a device was never sent a state from before one that it had. */
const onlyForward = (device: ScriptedDevice): boolean =>
  device.desired.every(({ generation }, at) => at === 0 || generation >= (device.desired[at - 1]?.generation ?? 0n));

describeOn([{ postgres: 15 }], 'a primary of PostgreSQL', function () {
  this.timeout(400_000);
  let cluster: PostgresCluster;
  let running: PostgresCluster | undefined;
  let sides: Side[] = [];
  let device: ScriptedDevice | undefined;

  const beginCluster = async (replication: 'synchronous' | 'asynchronous') => {
    running = cluster = await PostgresCluster.start(replication);
  };
  const begin = async (replication: 'synchronous' | 'asynchronous') => {
    await beginCluster(replication);
    const a = await Side.start(cluster);
    sides = [a];
    const b = await Side.start(cluster, a.plane.ownerToken);
    sides = [a, b];
    device = await b.device();
    const id = await a.grant();
    await a.is(id, SessionState.ACTIVE);
    return { a, b, device, id };
  };
  afterEach(async () => {
    device?.close();
    device = undefined;
    for (const side of sides.splice(0)) await side.stop();
    await running?.stop();
    running = undefined;
  });

  const each = (work: (side: Side) => Promise<unknown>) => Promise.all(sides.map(work));

  it('is killed, and its standby takes over: servers say so, go on by themselves, have lost nothing, and never go back', async () => {
    const { a, b, device, id } = await begin('synchronous');
    const { primary, standby, address } = cluster;
    const pids = sides.map(({ plane }) => plane.pid);

    await primary.down('kill');
    for (const side of sides) {
      assert.equal((await refusalOf(side.revoke(id)))?.code, AWAY);
      assert.equal((await refusalOf(side.state(id)))?.code, AWAY);
      await side.isNotReady('ledger_unreadable');
    }

    // The address is there before the standby is promoted.
    address.leadTo(standby.port, 'cut');
    for (const side of sides) {
      await side.is(id, SessionState.ACTIVE);
      const refusal = await refusalOf(side.revoke(id));
      assert.equal(refusal?.code, AWAY);
      assert.match(refusal.text, /takes no writes now \(a standby/);
      await side.isNotReady('ledger_unwritable');
      assert.equal(await side.state(id), SessionState.ACTIVE);
    }
    const asked = (line: string) => line.includes('cannot ask who leads') && line.includes('read-only');
    for (const { plane } of sides) await eventually(() => plane.log.split('\n').some(asked), SOON);
    assert.equal(await cluster.ask(standby, LEADERS), '0', 'nobody leads at a standby');
    await assert.rejects(ControlPlane.start(cluster.options), /the server ended: [^]*takes no writes now \(a standby/);
    assert.deepEqual([device.ends, device.held], [[], [id]], 'the link stays, and so does what the device holds');

    await standby.promote();
    await each((side) => side.isReady());
    assert.deepEqual(
      sides.map(({ plane }) => [plane.isRunning, plane.pid]),
      pids.map((pid) => [true, pid]),
    );
    for (const side of sides) assert.equal(await side.state(id), SessionState.ACTIVE);
    await eventually(async () => (await cluster.ask(standby, LEADERS)) === '1', SOON);
    const hearing = `select count(*) from pg_stat_activity where application_name = 'curfew-server changes' and query like 'listen%'`;
    await eventually(async () => (await cluster.ask(standby, hearing)) === '2', SOON);
    await a.revoke(id);
    await a.is(id, SessionState.ENDED);
    assert.deepEqual([device.held, device.ends], [[], []]);
    assert.equal(await b.state(id), SessionState.ENDED);
    const given = await a.grant();
    await b.is(given, SessionState.ACTIVE);

    // The former primary is back as what it was, has even more revisions, and the address leads there for a moment.
    await cluster.reviveFormer();
    await cluster.ask(
      primary,
      `insert into change (revision, kind, id, device_id)
         select (select max(revision) from change) + n, 'user', 'elsewhere', '' from generate_series(1, 500) n`,
    );
    const content = `select (select count(*) from audit_event), (select count(*) from change), (select count(*) from session)`;
    const before = await cluster.ask(primary, content);
    const logged = sides.map(({ plane }) => plane.log.length);
    address.leadTo(primary.port, 'cut');
    for (const side of sides)
      for (const call of [() => side.state(id), () => side.revoke(given), () => side.grant()]) {
        const refusal = await refusalOf(call());
        assert.equal(refusal?.code, AWAY);
        assert.match(refusal.text, /another PostgreSQL has taken over from the one that answers/);
      }
    await each((side) => side.isNotReady('ledger_unreadable'));
    // Whatever a server does by itself has been tried there once.
    for (const [at, { plane }] of sides.entries())
      for (const words of ['this server cannot say that it lives', 'cannot ask who leads', 'changes cannot be read'])
        await eventually(() => plane.log.slice(logged[at]).includes(words), { ...SOON, what: words });
    assert.equal(await cluster.ask(primary, content), before, 'nothing is written at the former primary');
    assert.deepEqual([device.held, device.ends], [[given], []]);

    address.leadTo(standby.port, 'cut');
    await each((side) => side.isReady());
    await b.revoke(given);
    await a.is(given, SessionState.ENDED);
    assert.deepEqual([device.held, device.ends, onlyForward(device)], [[], [], true]);
    assert.equal(await b.state(id), SessionState.ENDED);
    for (const { plane } of sides) assert.equal(await plane.auditProblem(), '');
  });

  /** Each has a cluster of its own: `npm test` has one of them, another one each day. */
  const now = shareOf(['waits', 'is lost', 'vanishes']);

  if (now.includes('waits'))
    it('waits for a standby that is away, and is killed: what was not answered is not done, and is said to be so', async () => {
      await beginCluster('synchronous');
      const { primary, standby, address } = cluster;
      const ledger = await PostgresLedger.open({
        url: cluster.options['CURFEW_LEDGER_URL'] ?? '',
        noteKey,
        clock: new SystemClock(),
        random: systemRandom,
        logger: silentLogger,
      });
      try {
        const note = (id: string): Promise<void> =>
          ledger.write(async (tx) => {
            tx.audit({ type: 'test.noted', actor: { kind: 'server' }, subject: id });
            tx.changed('user', id);
          });
        const noted = async (): Promise<string[]> => {
          const rows = await ledger.read((db) =>
            db.selectFrom('audit_event').select('subject').orderBy('idx').execute(),
          );
          return rows.map(({ subject }) => subject);
        };
        await note('before');
        await standby.down('kill');
        const writing = note('unanswered');
        const refused = assert.rejects(writing, { code: AWAY, message: /nothing was done/ });
        const waits = `select count(*) from pg_stat_activity where wait_event = 'SyncRep'`;
        await eventually(async () => (await primary.run(waits)) === '1', SOON);
        assert.deepEqual(await noted(), ['before']);
        await cluster.promoteAlone();
        address.leadTo(standby.port, 'keep');
        await primary.down('kill');
        await refused;
        await eventually(() => note('after').then(() => true), SOON);
        assert.deepEqual(await noted(), ['before', 'after']);
        await assertWholeAuditLog(ledger);
      } finally {
        await ledger.close();
      }
    });

  if (now.includes('is lost'))
    it('is lost with what its standby had not: that is said in the ledger, and nothing is granted until it is recovered', async () => {
      const { a, b, device, id } = await begin('asynchronous');
      const { primary, standby, address } = cluster;
      [device.comesBack, device.refusesOlder] = [true, true];
      await cluster.hasFollowed();
      await standby.down('kill');
      await a.revoke(id);
      await b.is(id, SessionState.ENDED);
      assert.deepEqual(device.held, []);
      await primary.down('kill');
      await cluster.promoteAlone();
      address.leadTo(standby.port, 'cut');
      await each((side) => side.isReady());
      for (const side of sides) assert.equal((await refusalOf(side.grant()))?.code, 'LEDGER_ROLLED_BACK');
      const found = `select count(*) from audit_event where type = 'ledger.rollback_detected' and actor = 'server'`;
      assert.equal(await cluster.ask(standby, found), '1');
      assert.deepEqual(device.held, [], 'the device has not got back what it had lost');
      await a.revoke(id);
      assert.notEqual(await b.state(id), SessionState.ACTIVE);

      for (const { plane } of sides) await plane.stop();
      assert.equal((await a.plane.curfewServer('recover')).exitCode, 0);
      for (const { plane } of sides) await plane.run();
      await eventually(() => a.grant(), SOON);
      assert.deepEqual([await a.plane.auditProblem(), await b.plane.auditProblem()], ['', '']);
    });

  if (now.includes('vanishes'))
    it('vanishes with its machine, so that nobody is told: servers give up what they wait for, and go on', async () => {
      const { a, b, device, id } = await begin('synchronous');
      const { primary, standby, address } = cluster;
      address.leadTo(primary.port, 'silence');
      await primary.down('kill');
      await each((side) => side.isNotReady('ledger_unreadable'));
      await standby.promote();
      address.leadTo(standby.port, 'keep');
      await each((side) => side.isReady());
      await a.revoke(id);
      await b.is(id, SessionState.ENDED);
      assert.deepEqual([device.held, onlyForward(device)], [[], true]);
      await eventually(async () => (await cluster.ask(standby, LEADERS)) === '1', SOON);
    });
});
