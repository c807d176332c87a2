import {
  ApproveAccessRequestRequest,
  CreateJoinTokenRequest,
  DeviceServiceService,
  GetServerInfoRequest,
  GrantSessionRequest,
  ListAccessRequestsRequest,
  RequestServiceService,
  RevokeSessionsRequest,
  ServerServiceService,
  SessionServiceService,
} from '@curfew/proto';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ControlPlane, curfew } from '../support/control-plane.js';
import { Device } from '../support/device.js';
import type { DeviceProcess } from '../support/device-process.js';
import { agreeingLedger, LEDGER_PARTS, readLedger, rewriteLedger } from '../support/ledger-file.js';
import { describeOn } from '../support/machine-needs.js';
import { OperatorClient } from '../support/operator-client.js';
import { eventually } from '../support/wait.js';

const SOON = { withinMs: 30_000, everyMs: 200 } as const;

describeOn(['devices'], 'a ledger that was restored from a backup', function () {
  this.timeout(120_000);
  let plane: ControlPlane;
  let device: Device;
  let agent: DeviceProcess;
  let operator: OperatorClient;
  let backup: string;

  const mayBeRoot = async (user: string): Promise<boolean> =>
    (await device.run(['sudo', '-n', 'id', '-u'], { as: user })).exitCode === 0;
  const info = async () => operator.call(ServerServiceService.getServerInfo, GetServerInfoRequest.fromPartial({}));
  const grant = (user: string) =>
    operator.call(
      SessionServiceService.grantSession,
      GrantSessionRequest.fromPartial({ user, device: 'web-1', duration: { seconds: 1800n }, reason: 'a look' }),
    );
  const revoke = (selection: RevokeSessionsRequest['selection']) =>
    operator.call(
      SessionServiceService.revokeSessions,
      RevokeSessionsRequest.fromPartial({ ...(selection && { selection }), reason: 'enough', wait: { seconds: 30n } }),
    );
  const revokeAll = () => revoke({ $case: 'everything', value: true });
  const states = (): string[] =>
    readLedger(plane.ledgerFile, (db) =>
      db.prepare('select state from session order by created_at_ms').pluck().all(),
    ) as string[];
  const ledgerPart = (part: string): string => join(plane.folder, `copy.db${part}`);

  /** Gives a person a right, and waits until it works and the ledger says so. */
  async function elevate(user: string): Promise<void> {
    await grant(user);
    await eventually(() => mayBeRoot(user), { ...SOON, what: `a right of ${user}` });
    await eventually(() => states().at(-1) === 'active', { ...SOON, what: 'an active session' });
  }

  /** Tries sudo as somebody again and again, all the time; gives what stops it and says whether it ever worked. */
  function watchSudo(user: string): () => Promise<string> {
    const script = 'while :; do sudo -n id -u 2>/dev/null; echo tried; sleep 0.2; done';
    const watcher = device.spawn(['bash', '-c', script], { as: user });
    return async () => {
      await watcher.waitFor(/(tried\n){3}/, 20_000);
      await watcher.stop('SIGKILL');
      return watcher.stdout.replaceAll('tried\n', '');
    };
  }

  before(async () => {
    plane = await ControlPlane.start();
    operator = new OperatorClient(plane);
    device = await Device.start({ name: 'web-1', users: [{ name: 'alice' }, { name: 'bob' }] });
    agent = await plane.join(device);
    const accounts = (): unknown =>
      readLedger(plane.ledgerFile, (db) => db.prepare('select count(*) from device_account').pluck().get());
    await eventually(() => accounts() !== 0, { ...SOON, what: 'the accounts of the device' });
    for (const user of ['alice', 'bob']) await plane.json('users', 'create', user, '--role', 'user');
    backup = join(plane.folder, 'backup.db');
  });

  after(async () => {
    operator.close();
    await agent.stop();
    await device.dispose();
    await plane.dispose();
  });

  // Each test goes on where the one before has ended: nobody holds a right, and all is well.
  afterEach(async () => {
    await revokeAll();
    assert.equal((await info()).rolledBack, false);
  });

  it('was whole, and only its owner could read it, although everything was written while it was copied', async () => {
    let isCopied = false;
    let made = 0;
    const writer = async (): Promise<void> => {
      for (; !isCopied; made++)
        await operator.call(DeviceServiceService.createJoinToken, CreateJoinTokenRequest.fromPartial({}));
    };
    const events = (file: string): number => agreeingLedger(file).audited.size;
    const writing = Promise.all([writer(), writer(), writer()]);
    await eventually(() => made > 20, { ...SOON, what: 'a ledger that is written to' });
    const before = events(plane.ledgerFile);
    const result = await plane.curfewServer('backup', backup);
    isCopied = true;
    await writing;
    assert.equal(result.exitCode, 0, result.stderr);
    const copied = events(backup);
    assert.ok(before < copied && copied < events(plane.ledgerFile), `${before} < ${copied} < the newest`);
    assert.equal(statSync(backup).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(plane.folder).filter((name) => name.startsWith('backup')),
      ['backup.db'],
    );
  });

  it('gives nothing that was revoked back, and no right at all before a recovery', async () => {
    await elevate('alice');
    const asked = await curfew(device, 'bob', 'request', '--for', '30m', '--reason', 'to work');
    assert.equal(asked.exitCode, 0, asked.stderr);
    const { requests } = await operator.call(
      RequestServiceService.listAccessRequests,
      ListAccessRequestsRequest.fromPartial({}),
    );
    const approval = ApproveAccessRequestRequest.fromPartial({ requestId: requests[0]?.id ?? '' });
    await operator.call(RequestServiceService.approveAccessRequest, approval);
    const made = await plane.curfewServer('backup', backup);
    assert.equal(made.exitCode, 0, made.stderr);
    await revokeAll();
    assert.equal(await mayBeRoot('alice'), false);
    const alice = watchSudo('alice');
    await elevate('bob');

    for (const args of [['restore', backup], ['recover']]) {
      const before = agreeingLedger(plane.ledgerFile);
      const refused = await plane.curfewServer(...args);
      assert.equal(refused.exitCode, 1);
      assert.match(refused.stderr, /^curfew-server: the ledger in \S+ is in use by another process/);
      assert.deepEqual(agreeingLedger(plane.ledgerFile), before);
    }

    await plane.stop();
    const restored = await plane.curfewServer('restore', backup);
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.match(restored.stderr, /Ended: 1 sessions, 1 approvals, [0-9]+ join tokens, 0 sign-ins/);
    await plane.run();
    await eventually(async () => !(await mayBeRoot('bob')), { ...SOON, what: 'a right that the agent gives up' });
    assert.equal((await info()).rolledBack, true);
    await assert.rejects(grant('alice'), { code: 'LEDGER_ROLLED_BACK' });
    const started = await curfew(device, 'bob', 'start');
    assert.notEqual(started.exitCode, 0);
    assert.match(started.stderr, /devices have seen a newer ledger/);
    await eventually(() => states().every((state) => state === 'ended'), { ...SOON, what: 'confirmed ends' });

    await recover();
    const after = await info();
    assert.deepEqual([after.rolledBack, after.incarnation], [false, 2n]);
    const again = await curfew(device, 'bob', 'start');
    assert.notEqual(again.exitCode, 0, 'an approval of before is none any more');
    await elevate('bob');
    assert.equal(await alice(), '', 'alice was never root again');
    await elevate('alice');
    const checked = await verifyAudit();
    assert.match(checked, /intact/);
  });

  async function recover(): Promise<void> {
    await plane.stop();
    const recovered = await plane.curfewServer('recover');
    assert.equal(recovered.exitCode, 0, recovered.stderr);
    await plane.run();
  }

  /** Exports the audit log and checks the export, as an operator does. */
  async function verifyAudit(): Promise<string> {
    const file = join(plane.folder, 'log.jsonl');
    const exported = await plane.curfewctl('audit', 'export', file);
    assert.equal(exported.exitCode, 0, exported.stderr);
    const verified = await plane.curfewctl('audit', 'verify', file);
    assert.equal(verified.exitCode, 0, verified.stderr);
    return verified.stdout;
  }

  it('is found out by the agent when nobody has said so, still revokes, and a recovery ends the rest', async () => {
    await elevate('alice');
    await elevate('bob');
    await plane.stop();
    for (const part of LEDGER_PARTS)
      if (existsSync(plane.ledgerFile + part)) copyFileSync(plane.ledgerFile + part, ledgerPart(part));
    await plane.run();
    await eventually(async () => (await info()).linkedDevices === 1, { ...SOON, what: 'a link' });
    await revokeAll();
    assert.equal(await mayBeRoot('alice'), false);
    const alice = watchSudo('alice');
    await elevate('bob');

    await plane.stop('SIGKILL');
    for (const part of LEDGER_PARTS) {
      rmSync(plane.ledgerFile + part, { force: true });
      if (existsSync(ledgerPart(part))) copyFileSync(ledgerPart(part), plane.ledgerFile + part);
    }
    await plane.run();
    await eventually(async () => (await info()).rolledBack, { ...SOON, what: 'a server that knows' });
    await eventually(async () => !(await mayBeRoot('bob')), { ...SOON, what: 'a right that the agent gives up' });
    assert.deepEqual(states().slice(-2), ['active', 'active'], 'the ledger has the sessions of before their revoke');
    await assert.rejects(grant('bob'), { code: 'LEDGER_ROLLED_BACK' });
    await revoke({ $case: 'user', value: 'bob' });
    assert.deepEqual(states().slice(-2), ['active', 'ended']);

    await recover();
    await eventually(() => states().at(-2) === 'ended', { ...SOON, what: 'a session that the recovery has ended' });
    await elevate('bob');
    assert.equal(await alice(), '', 'alice was never root again');
  });

  it('is refused by an agent that keeps a newer checkpoint of the audit log', async () => {
    await elevate('bob');
    await plane.stop();
    // The agent keeps what it is sent when it links.
    await plane.run();
    await eventually(async () => (await info()).linkedDevices === 1, { ...SOON, what: 'a link' });
    const size = (): number =>
      readLedger(plane.ledgerFile, (db) => db.prepare('select max(idx) + 1 from audit_event').pluck().get()) as number;
    const kept = size();
    const keptByAgent = async (): Promise<boolean> =>
      (await device.must(['cat', '/var/lib/curfew/state.json'])).includes(`\\n${kept}\\n`);
    await eventually(keptByAgent, { ...SOON, what: `an agent that keeps the checkpoint of ${kept} events` });
    assert.equal(await mayBeRoot('bob'), true);

    await plane.stop();
    rewriteLedger(plane.ledgerFile, (db) => {
      for (const table of ['audit_event', 'audit_node', 'audit_checkpoint'])
        for (const verb of ['update', 'delete']) db.exec(`drop trigger ${table}_is_append_only_${verb}`);
      db.exec(`delete from audit_event where idx >= ${kept - 2}`);
      db.exec(`delete from audit_node where (idx + 1) * (1 << level) > ${kept - 2}`);
      db.exec(`delete from audit_checkpoint where size > ${kept - 2}`);
    });
    await plane.run();
    await eventually(async () => (await info()).rolledBack, { ...SOON, what: 'a server that is told' });
    await eventually(async () => !(await mayBeRoot('bob')), { ...SOON, what: 'a right that the agent gives up' });
    await assert.rejects(grant('alice'), { code: 'LEDGER_ROLLED_BACK' });
    // One of the two is there again: the server has found out by itself at the hello, and has written that down.
    assert.match(agent.output, new RegExp(`the log has ${kept - 1} records, this device has seen ${kept}`));
    await recover();
  });
});
