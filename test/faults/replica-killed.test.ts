import { ListSessionsRequest, SessionServiceService, SessionState } from '@curfew/proto';
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { ApiClient } from '../support/api-client.js';
import { ControlPlane } from '../support/control-plane.js';
import { postgresOptions } from '../support/ledger-of-tests.js';
import { describeOn } from '../support/machine-needs.js';
import { PostgresServer } from '../support/postgres-server.js';
import { ScriptedDevice } from '../support/scripted-device.js';
import { scratchFolder } from '../support/scratch.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 30_000 } as const;

/** What a server says of itself when it begins to lead. */
const LEADS = '"message":"this server leads"';

describeOn([{ postgres: 15 }], 'one of two servers on a ledger is killed', function () {
  this.timeout(120_000);
  let postgres: PostgresServer;
  let folder: string;
  let [first, second]: [ControlPlane?, ControlPlane?] = [];
  let device: ScriptedDevice | undefined;
  let operator: ApiClient | undefined;

  before(async () => {
    postgres = await PostgresServer.start(15, { fsync: 'on' });
    folder = scratchFolder('killed');
    const options = await postgresOptions(postgres, folder);
    first = await ControlPlane.start(options);
    second = await ControlPlane.start(options);
  });
  after(async () => {
    operator?.close();
    device?.close();
    await first?.dispose();
    await second?.dispose();
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('with everything that it held: the other one leads, the device goes there, its session goes on and can be revoked', async () => {
    assert.ok(first !== undefined && second !== undefined);
    assert.ok(first.log.includes(LEADS) && !second.log.includes(LEADS));
    const joined = { address: first.address, caFile: first.caFile };
    const { secret } = await first.json<{ secret: string }>('devices', 'join-token', 'create');
    device = await ScriptedDevice.enroll(joined, secret, 'web-1', ['alice']);
    await first.json('users', 'create', 'alice', '--role', 'user');
    const other = { address: second.address, caFile: second.caFile };
    operator = new ApiClient(second.address, second.caFile, { token: first.ownerToken });
    const wish = { user: 'alice', device: 'web-1', account: '', duration: { seconds: 600n, nanos: 0 } };
    const given = { ...wish, reason: 'why', resource: '', options: undefined };
    const { session } = await operator.unary(SessionServiceService.grantSession, given);
    const state = async (): Promise<SessionState | undefined> => {
      const everything = ListSessionsRequest.fromPartial({ filter: { states: ALL } });
      const { sessions } = await operator!.unary(SessionServiceService.listSessions, everything);
      return sessions.find(({ id }) => id === session?.id)?.state;
    };
    await eventually(async () => (await state()) === SessionState.ACTIVE, SOON);

    await first.stop('SIGKILL');
    const moved = device.at(other);
    moved.floor = device.floor;
    await moved.goOnline();
    assert.deepEqual(moved.held, [session?.id]);
    assert.equal(await state(), SessionState.ACTIVE);
    await eventually(() => second!.log.includes(LEADS), SOON);
    const revoke = { selection: { $case: 'user', value: 'alice' }, reason: 'enough', idempotencyKey: '' };
    await operator.unary(SessionServiceService.revokeSessions, revoke as never);
    await eventually(async () => (await state()) === SessionState.ENDED, SOON);
    assert.deepEqual(moved.held, []);
    moved.close();
  });
});

const ALL = [SessionState.STARTING, SessionState.ACTIVE, SessionState.ENDING, SessionState.ENDED];
