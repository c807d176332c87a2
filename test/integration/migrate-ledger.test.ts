import {
  DeviceServiceService,
  ListSessionsRequest,
  Role,
  SessionServiceService,
  SessionState,
  UserServiceService,
} from '@curfew/proto';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../support/api-client.js';
import { postgresOptions } from '../support/ledger-of-tests.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresServer } from '../support/postgres-server.js';
import { startReplica, type Replica } from '../support/replica.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { scratchFolder } from '../support/scratch.js';
import { captureTool } from '../support/tool.js';
import { CHECKOUT } from '../support/device.js';
import { assertWholeAuditLog } from '../support/whole-audit-log.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 20_000 } as const;

describeOn([{ postgres: 15 }], 'curfew-server migrate', function () {
  this.timeout(60_000);
  let postgres: PostgresServer;
  let folder: string;
  let options: Record<string, string>;
  let replica: Replica;
  let operator: ApiClient;
  let device: ScriptedDevice;
  let id: string;
  let token: string;

  const server = (...args: string[]) =>
    captureTool(join(CHECKOUT, 'server/bin/curfew-server.js'), args, {
      env: { PATH: process.env['PATH'] ?? '', ...options },
      timeoutMs: 60_000,
    });
  const dump = (): Promise<string> => postgres.dump(options['CURFEW_LEDGER_URL'] ?? '');
  const migrate = () => server('migrate', '--from', 'sqlite', '--to', 'postgres');
  const open = async (on: Record<string, string>): Promise<void> => {
    replica = await startReplica(on);
    token = replica.running.firstOwnerToken ?? token;
    operator = new ApiClient(replica.address, replica.caFile, { token });
  };
  const close = async (): Promise<void> => {
    operator.close();
    await replica.running.close();
  };
  const stateOf = async (): Promise<SessionState | undefined> =>
    (await operator.unary(SessionServiceService.getSession, { sessionId: id })).session?.state;

  before(async () => {
    postgres = await PostgresServer.start(15, { fsync: 'on' });
    folder = scratchFolder('migrate');
    options = { ...(await postgresOptions(postgres, folder)), CURFEW_DATA_DIR: join(folder, 'data') };
    await open({ CURFEW_DATA_DIR: join(folder, 'data') });
    const { secret } = await operator.unary(DeviceServiceService.createJoinToken, { uses: 1, ttl: undefined });
    device = await ScriptedDevice.enroll(replica, secret, 'web-1', ['alice']);
    await operator.unary(UserServiceService.createUser, { name: 'alice', displayName: 'Ägidia', role: Role.USER });
    const wish = { user: 'alice', device: 'web-1', account: '', duration: { seconds: 600n, nanos: 0 } };
    const given = { ...wish, reason: 'why', resource: '', options: undefined };
    id = (await operator.unary(SessionServiceService.grantSession, given)).session?.id ?? '';
    await eventually(async () => (await stateOf()) === SessionState.ACTIVE, SOON);
  });
  after(async () => {
    device.close();
    await close();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('refuses while the server runs, and moves nothing', async () => {
    device.goOffline();
    await close();
    const { lockLedger } = await import('@curfew/server/parts');
    const release = lockLedger(join(folder, 'data'), 0);
    const { exitCode, stderr } = await migrate();
    release();
    assert.equal(exitCode, 1);
    assert.match(stderr, /LEDGER_IN_USE/);
    assert.ok(existsSync(join(folder, 'data/ledger.db')));
  });

  it('refuses a ledger whose audit log was altered, and puts nothing into the database', async () => {
    const altered = join(folder, 'altered');
    cpSync(join(folder, 'data'), altered, { recursive: true });
    const raw = new Database(join(altered, 'ledger.db'));
    const rules = raw.prepare(`select name from sqlite_master where type = 'trigger' and tbl_name = 'audit_event'`);
    for (const { name } of rules.all() as { name: string }[]) raw.exec(`drop trigger ${name}`);
    raw.exec(`update audit_event set record = x'00' where idx = 3`);
    raw.close();
    const before = await dump();
    const own = options;
    options = { ...options, CURFEW_DATA_DIR: altered };
    const { exitCode, stderr } = await migrate();
    options = own;
    assert.equal(exitCode, 1);
    assert.match(stderr, /the audit log is not whole.*\[STORAGE_UNSAFE\]/s);
    assert.ok(existsSync(join(altered, 'ledger.db')));
    assert.equal(await dump(), before);
  });

  it('moves everything, and the device finds its server, its session and its audit log again', async () => {
    const { exitCode, stderr } = await migrate();
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, /^Moved \d+ rows of \d+ tables, each read back and compared\. The audit log has \d+ events/);
    assert.ok(!existsSync(join(folder, 'data/ledger.db')));
    await open(options);
    await assertWholeAuditLog(replica.running.ledger);
    assert.equal(await stateOf(), SessionState.ACTIVE);
    const { sessions } = await operator.unary(
      SessionServiceService.listSessions,
      ListSessionsRequest.fromPartial({ filter: { text: 'ALICE' } }),
    );
    assert.deepEqual(
      sessions.map((session) => session.id),
      [id],
    );
    const moved = device.before(replica, device.floor);
    device.close();
    device = moved;
    await device.goOnline();
    assert.deepEqual(device.held, [id], 'a ledger that was rolled back would give nothing');
    const everything = { selection: { $case: 'everything', value: true }, reason: 'enough', idempotencyKey: '' };
    await operator.unary(SessionServiceService.revokeSessions, everything as never);
    await eventually(async () => (await stateOf()) === SessionState.ENDED, SOON);
    await assertWholeAuditLog(replica.running.ledger);
  });

  it('has the keys sealed: neither they nor what they seal are in the database', async () => {
    const everything = await dump();
    assert.match(everything, /lease-keys\.json/);
    assert.doesNotMatch(everything, /PRIVATE KEY/);
    const key = readFileSync(join(folder, 'data/pki/secrets.key'), 'utf8').trim();
    assert.ok(!everything.includes(key));
  });

  it('refuses a database that has a ledger, and changes nothing there', async () => {
    await close();
    const before = await dump();
    const other = join(folder, 'other');
    await (await startReplica({ CURFEW_DATA_DIR: other })).running.close();
    const own = options;
    options = { ...options, CURFEW_DATA_DIR: other };
    const { exitCode, stderr } = await migrate();
    options = own;
    assert.equal(exitCode, 1);
    assert.match(stderr, /the database has another ca\.key already/);
    assert.ok(existsSync(join(other, 'ledger.db')));
    assert.ok((await dump()) === before, 'something was changed');
    await open(options);
  });

  it('is no way back, and copies are left to PostgreSQL', async () => {
    const back = await server('migrate', '--from', 'postgres', '--to', 'sqlite');
    assert.deepEqual([back.exitCode, back.stderr.includes('must be sqlite and postgres')], [2, true], back.stderr);
    const copy = await server('backup', join(folder, 'copy.db'));
    assert.match(copy.stderr, /pg_dump/);
    assert.ok(!existsSync(join(folder, 'copy.db')));
  });
});
