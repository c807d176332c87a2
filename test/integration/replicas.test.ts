import {
  DeviceServiceService,
  LinkServiceService,
  RequestServiceService,
  WatchSessionsRequest,
  WatchSessionsResponse,
  Role,
  ServerServiceService,
  SessionServiceService,
  SessionState,
  UserServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { sql } from 'kysely';
import { rmSync } from 'node:fs';
import { AlternatingProxy } from '../support/alternating-proxy.js';
import { ApiClient, asRefusal } from '../support/api-client.js';
import { postgresOptions } from '../support/ledger-of-tests.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startReplica, type Replica } from '../support/replica.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { scratchFolder } from '../support/scratch.js';
import { assertWholeAuditLog } from '../support/whole-audit-log.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 20_000 } as const;

describeOn([{ postgres: 15 }], 'two servers on one ledger', function () {
  this.timeout(60_000);
  let postgres: PostgresServer;
  let folder: string;
  let options: Record<string, string>;
  let [a, b]: [Replica?, Replica?] = [];
  let onA: ApiClient;
  let onB: ApiClient;
  let device: ScriptedDevice;
  let name: string;
  let token: string;
  let devices = 0;

  before(async () => {
    postgres = await PostgresServer.start(15, { fsync: 'on' });
    folder = scratchFolder('replica-keys');
    options = await postgresOptions(postgres, folder);
    a = await startReplica(options);
    b = await startReplica(options);
    token = a.running.firstOwnerToken ?? '';
    onA = new ApiClient(a.address, a.caFile, { token });
    onB = new ApiClient(b.address, b.caFile, { token });
    await onB.unary(UserServiceService.createUser, { name: 'alice', displayName: '', role: Role.USER });
  });
  after(async () => {
    onA.close();
    onB.close();
    await a?.close();
    await b?.close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    name = `web-${++devices}`;
    // What is made at one is known at the other: the token of the join, the CA, the keys.
    const { secret } = await onA.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(b!, secret, name, ['alice']);
    // Nobody can be given anything before it has told of its accounts.
    const isReported = async () =>
      (await onA.unary(DeviceServiceService.getDevice, { device: name })).device?.accounts.length === 1;
    await eventually(isReported, { ...SOON, what: 'the accounts of a device' });
  });
  afterEach(() => {
    device.close();
  });

  const grant = async (on: ApiClient): Promise<string> => {
    const wish = { user: 'alice', device: name, account: '', duration: { seconds: 600n, nanos: 0 } };
    const given = { ...wish, reason: 'why', resource: '', options: undefined };
    return (await on.unary(SessionServiceService.grantSession, given)).session?.id ?? '';
  };
  const stateOn = async (on: ApiClient, sessionId: string): Promise<SessionState | undefined> =>
    (await on.unary(SessionServiceService.getSession, { sessionId })).session?.state;
  const activeOn = (on: ApiClient, id: string) =>
    eventually(async () => (await stateOn(on, id)) === SessionState.ACTIVE, SOON);
  const onlineOn = async (on: ApiClient): Promise<boolean | undefined> =>
    (await on.unary(DeviceServiceService.getDevice, { device: name })).device?.online;

  it('have one CA and one first owner, and only one of them leads', () => {
    assert.equal(a?.running.caFingerprint, b?.running.caFingerprint);
    assert.notEqual(a?.running.firstOwnerToken, undefined);
    assert.equal(b?.running.firstOwnerToken, undefined);
    assert.deepEqual([a?.running.ledger.leads, b?.running.ledger.leads], [true, false]);
  });

  it('may be started for the first time together: one makes the first owner, and both have one CA', async () => {
    const fresh = await postgresOptions(postgres, folder);
    const both = await Promise.all([startReplica(fresh), startReplica(fresh)]);
    const [first, second] = both.map(({ running }) => running);
    const fingerprints = new Set(both.map(({ running }) => running.caFingerprint));
    const owners = [first?.firstOwnerToken, second?.firstOwnerToken].filter((one) => one !== undefined);
    for (const one of both) await one.close();
    assert.deepEqual([fingerprints.size, owners.length], [1, 1]);
  });

  it('take a right away at one that the other has given, and both say that it is gone', async () => {
    const id = await grant(onA);
    await activeOn(onA, id);
    assert.deepEqual(device.held, [id]);
    await onA.unary(SessionServiceService.revokeSessions, {
      selection: { $case: 'sessions', value: { ids: [id] } },
      reason: 'enough',
      idempotencyKey: '',
    } as never);
    await eventually(async () => (await stateOn(onA, id)) === SessionState.ENDED, SOON);
    assert.deepEqual(device.held, []);
    assert.equal(await stateOn(onB, id), SessionState.ENDED);
  });

  it('carry a request from one to the other: asked at B, approved at A, started at B, revoked at A, gone', async () => {
    const agent = new ApiClient(b!.address, b!.caFile, device.identity);
    try {
      const account = device.account('alice');
      const wish = { account, duration: { seconds: 600n, nanos: 0 }, options: undefined, reason: 'why' };
      const more = { ticket: '', breakGlass: false, resource: '', resourceAccount: '' };
      const { request } = await agent.unary(LinkServiceService.createAccessRequest, { ...wish, ...more });
      const requestId = request?.id ?? '';
      const decision = { requestId, duration: undefined, reason: '' };
      await onA.unary(RequestServiceService.approveAccessRequest, decision);
      const { session } = await agent.unary(LinkServiceService.startSession, { account, requestId });
      const id = session?.id ?? '';
      await activeOn(onA, id);
      assert.deepEqual(device.held, [id]);
      const everything = { selection: { $case: 'everything', value: true }, reason: 'enough', idempotencyKey: '' };
      await onA.unary(SessionServiceService.revokeSessions, everything as never);
      await eventually(async () => (await stateOn(onA, id)) === SessionState.ENDED, SOON);
      assert.deepEqual(device.held, []);
      await assertWholeAuditLog(b!.running.ledger);
    } finally {
      agent.close();
    }
  });

  it('tell who watches at one what happens at the other', async () => {
    const seen: string[] = [];
    const request = WatchSessionsRequest.encode(WatchSessionsRequest.fromPartial({})).finish();
    const stream = onA.stream(SessionServiceService.watchSessions.path, Buffer.from(request));
    stream.on('error', () => undefined);
    stream.on('data', (bytes: Buffer) => {
      const { session } = WatchSessionsResponse.decode(bytes);
      if (session !== undefined) seen.push(`${session.id} ${SessionState[session.state]}`);
    });
    const id = await grant(onB);
    await eventually(() => seen.includes(`${id} ACTIVE`), SOON);
    stream.cancel();
  });

  it('both know that a device is linked, and that it is not', async () => {
    await eventually(() => onlineOn(onA), SOON);
    await eventually(async () => (await onA.unary(ServerServiceService.getServerInfo, {})).linkedDevices === 1, SOON);
    device.goOffline();
    await eventually(async () => !(await onlineOn(onA)) && !(await onlineOn(onB)), SOON);
  });

  it('hand a device over: the link to the first ends, and nobody suspects two agents', async () => {
    const id = await grant(onB);
    await activeOn(onB, id);
    const moved = device.at(a!);
    await moved.goOnline();
    await eventually(() => device.ends.at(-1)?.code === 'LINK_FENCED', SOON);
    await eventually(() => moved.held.includes(id), SOON);
    assert.equal(await stateOn(onA, id), SessionState.ACTIVE);
    // And back: one agent that comes and goes is not two.
    await device.goOnline();
    await eventually(() => device.held.includes(id), SOON);
    assert.equal(await stateOn(onB, id), SessionState.ACTIVE);
    moved.close();
  });

  it('find two agents with one identity, each at another server', async () => {
    const twin = device.twin(a!);
    const joined = twin.goOnline();
    await eventually(() => device.ends.at(-1)?.code === 'LINK_FENCED', SOON);
    await joined;
    await device.goOnline();
    const conflicts = () =>
      a!.running.ledger.read((db) =>
        db.selectFrom('audit_event').select('idx').where('type', '=', 'device.identity_conflict').execute(),
      );
    await eventually(async () => (await conflicts()).length === 1, SOON);
    twin.goOffline();
    const heard = new Promise<void>((resolve) => {
      b!.running.ledger.onChange((changes) => {
        if (changes.some(({ kind, id }) => kind === 'ledger' && id === device.id)) resolve();
      });
    });
    await onA.unary(DeviceServiceService.resolveIdentityConflict, { device: name });
    await heard;
    // What is settled at one server is settled at the other: whoever was replaced before is no second agent.
    device.goOffline();
    await device.goOnline();
    const id = await grant(onA);
    await activeOn(onB, id);
    assert.equal((await conflicts()).length, 1);
    twin.close();
  });

  it('go on with the other one when the one that leads stops: it leads, and what is live stays', async () => {
    const id = await grant(onA);
    await activeOn(onB, id);
    onA.close();
    await a?.close();
    await eventually(() => b?.running.ledger.leads, SOON);
    assert.equal(await stateOn(onB, id), SessionState.ACTIVE);
    await onB.unary(SessionServiceService.revokeSessions, {
      selection: { $case: 'sessions', value: { ids: [id] } },
      reason: 'enough',
      idempotencyKey: '',
    } as never);
    await eventually(async () => (await stateOn(onB, id)) === SessionState.ENDED, SOON);
    a = await startReplica(options);
    onA = new ApiClient(a.address, a.caFile, { token });
    assert.equal(a.running.ledger.leads, false);
  });

  it('find a change of which no notification came', async () => {
    const seen: string[] = [];
    const stop = b!.running.ledger.onChange((changes) => seen.push(...changes.map(({ id }) => id)));
    await a!.running.ledger.write(({ db }) =>
      sql`insert into change (revision, kind, id, device_id) select max(revision) + 1, 'user', 'unheard', '' from change`.execute(
        db,
      ),
    );
    await eventually(() => seen.includes('unheard'), SOON);
    stop();
  });

  it('end a watch where it cannot be known what was changed: who watches begins anew', async () => {
    const request = WatchSessionsRequest.encode(WatchSessionsRequest.fromPartial({})).finish();
    const stream = onA.stream(SessionServiceService.watchSessions.path, Buffer.from(request));
    const ended = new Promise<string>((resolve) => {
      stream.on('error', (error) => resolve(asRefusal(error).code));
    });
    await new Promise<void>((resolve) => {
      stream.on('data', (bytes: Buffer) => (WatchSessionsResponse.decode(bytes).synced ? resolve() : undefined));
    });
    // As for a server that was away for longer than changes are kept.
    await b!.running.ledger.write(async ({ db }) => {
      await sql`insert into change (revision, kind, id, device_id) select max(revision) + 2, 'user', 'unheard', '' from change`.execute(
        db,
      );
      await sql`delete from change where revision < (select max(revision) from change)`.execute(db);
    });
    assert.equal(await ended, 'CHANGES_MISSED');
  });

  it('hear of each other which changes take a right away, and tell devices of those first', async () => {
    const heard: [string, boolean][] = [];
    const stop = b!.running.ledger.onChange((changes) => {
      for (const { id, takesAway = false } of changes) if (['given', 'taken'].includes(id)) heard.push([id, takesAway]);
    });
    await a!.running.ledger.write((tx) => {
      tx.changed('session', 'given', device.id);
      tx.changed('session', 'taken', device.id, true);
      return Promise.resolve();
    });
    await eventually(() => heard.length > 1, SOON);
    stop();
    assert.deepEqual(heard, [
      ['given', false],
      ['taken', true],
    ]);
  });

  it('hear each other again after their connections were cut', async () => {
    let isOver = false;
    // What was being written down of a device at that moment ends its link; an agent comes back by itself.
    const comesBack = async (): Promise<void> => {
      for (;;) {
        await device.linkEnd;
        if (isOver) return;
        await device.goOnline().catch(() => undefined);
      }
    };
    void comesBack();
    try {
      await postgres.run(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'curfew-server %'`,
      );
      const id = await eventually(() => grant(onA), SOON);
      await activeOn(onB, id);
      await eventually(() => device.held.includes(id), SOON);
    } finally {
      isOver = true;
    }
    await eventually(() => a!.running.ledger.leads || b!.running.ledger.leads, SOON);
  });

  it('sign with the same lease keys after one of them has rotated them', async () => {
    await onA.unary(ServerServiceService.rotateLeaseKeys, {});
    await eventually(() => device.leaseKeySets.length > 0, SOON);
    const id = await grant(onA);
    await activeOn(onB, id);
    const part = (token: string, at: number) => Buffer.from(token.split('.')[at] ?? '', 'base64url').toString();
    const { kid } = JSON.parse(part(device.desired.at(-1)?.leases[0] ?? '', 0)) as { kid: string };
    assert.ok(
      part(device.leaseKeySets.at(-1) ?? '', 1).includes(kid),
      'the device does not trust the key of its lease',
    );
  });

  it('spread agents: an old connection is left for a new one, wherever that leads, and the session goes on', async () => {
    const quick = { ...options, CURFEW_GRPC_CONNECTION_AGE: '1s' };
    const third = await startReplica(quick);
    const proxy = await AlternatingProxy.start([third.running.port, b!.running.port]);
    const agent = device.at({ address: `127.0.0.1:${proxy.port}`, caFile: third.caFile });
    try {
      agent.floor = device.floor;
      await agent.goOnline();
      const id = await grant(onB);
      await activeOn(onB, id);
      assert.deepEqual([agent.held, proxy.taken], [[id], [third.running.port]]);
      await eventually(async () => {
        await third.running.sweep();
        return agent.ends.length > 0;
      }, SOON);
      assert.equal(agent.ends.at(-1)?.code, 'SERVER_STOPPING');
      await agent.goOnline();
      assert.deepEqual(proxy.taken, [third.running.port, b!.running.port]);
      await eventually(() => agent.held.includes(id), SOON);
      assert.equal(await stateOn(onB, id), SessionState.ACTIVE);
    } finally {
      agent.close();
      await proxy.close();
      await third.close();
    }
  });
});
