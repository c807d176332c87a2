import {
  CurfewError,
  DAY,
  durationMs,
  HOUR,
  MINUTE,
  silentLogger,
  systemRandom,
  type ErrorCode,
  type GrantOptions,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { DeviceRow } from '../devices/find-device.js';
import { draft, openOffice, SUDO, type Office, type Person } from '../policies/office-fixture.js';
import { ANY_DEVICE, type RecordingRule } from '../policies/policy-spec.js';
import { framed } from './frames.js';
import type { RecordingHead } from './recording.js';
import { RecordingSeal } from './recording-seal.js';
import { Recordings } from './recordings.js';
import { SqliteRecordings } from './sqlite-recordings.js';
import { sweepRecordings } from './sweep-recordings.js';

const ID = `rec-${'a'.repeat(20)}`;
const RULE: RecordingRule = { mode: 'output', required: true, keepMs: null };
const GROUP = { ...SUDO, kind: 'group_membership' as const, group: 'adm' };

describe('recordings', () => {
  let folder: string;
  let office: Office;
  let store: SqliteRecordings;
  let recordings: Recordings;

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-recordings-'));
    office = await openOffice();
    store = SqliteRecordings.open({
      file: path.join(folder, 'recordings.db'),
      seal: new RecordingSeal(Buffer.alloc(32, 7), systemRandom),
      clock: office.clock,
      logger: silentLogger,
      longest: 1_000_000,
      isFull: () => false,
    });
    recordings = new Recordings(office.context, store, 90 * DAY);
  });
  afterEach(async () => {
    await store.close();
    await office.ledger.close();
    rmSync(folder, { recursive: true });
  });

  /** Somebody's session under a policy, from the request to the device's confirmation. */
  async function started(recording: RecordingRule | null, options: GrantOptions = SUDO, who: Person = 'alice') {
    const auto = { maxDurationMs: null, hours: [] };
    await office.usePolicies([draft('recorded', { recording, autoApproval: auto, target: ANY_DEVICE })]);
    const asked = { account: office.account(who), durationMs: 10 * MINUTE, reason: 'a look', options };
    const request = await office.requests.create(office.web, asked);
    const session = await office.sessions.start(office.web, office.account(who), request.id);
    await office.hold(office.web, [session.id]);
    return session;
  }
  const ended = async (sessionId: string): Promise<void> => {
    await office.sessions.revoke(office.by('olga'), { ids: [sessionId] }, 'enough');
    await office.hold(office.web, []);
  };
  const head = (sessionId: string, change: Partial<RecordingHead> = {}): RecordingHead => ({
    id: ID,
    sessionId,
    command: '/bin/id',
    arguments: ['id'],
    argumentsCut: false,
    workingDirectory: '/',
    terminal: '',
    runAsUser: 'root',
    columns: 0,
    lines: 0,
    startedAtMs: 1_000,
    state: 'running',
    runTimeMs: null,
    exitStatus: 0,
    signal: '',
    error: '',
    mode: null,
    lostBytes: 0,
    ...change,
  });
  const append = (
    known: RecordingHead,
    device: DeviceRow = office.web,
    bytes = framed(Buffer.from('x')),
  ): Promise<number> =>
    recordings.append(device, {
      head: known,
      offset: 0,
      bytes,
      totalSize: 0,
      problemOf: () => (one) => (one[0] === 33 ? 'is bad' : undefined),
    });
  const sweep = () => sweepRecordings(office.context, store, 90 * DAY);
  const audited = (type: string) =>
    office.ledger.read(async (db) =>
      (await db.selectFrom('audit_event').selectAll().where('type', '=', type).orderBy('idx').execute()).map(
        ({ actor, subject, record }) => ({ actor, subject, data: JSON.parse(record.toString()) as unknown }),
      ),
    );

  async function refused(code: ErrorCode, call: () => Promise<unknown>, problem = ''): Promise<void> {
    const before = [await office.picture(), await store.findId(ID).catch(() => '')];
    await assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof CurfewError, String(error));
      assert.equal(error.code, code);
      assert.ok(error.message.includes(problem), error.message);
      return true;
    });
    assert.deepEqual([await office.picture(), await store.findId(ID).catch(() => '')], before);
  }

  it('are taken from the device of a session that is recorded, with the mode of the session', async () => {
    const { id } = await started(RULE);
    assert.equal(await append(head(id)), 5);
    assert.equal((await recordings.get(ID)).stored.head.mode, 'output');
  });

  const refusals: {
    name: string;
    code: ErrorCode;
    problem?: string;
    rule?: RecordingRule | null;
    options?: GrantOptions;
    call: (id: string) => Promise<unknown>;
  }[] = [
    { name: 'another device', code: 'SESSION_NOT_FOUND', call: (id) => append(head(id), office.db) },
    {
      name: 'a session that there is not',
      code: 'SESSION_NOT_FOUND',
      call: () => append(head(`ses-${'0'.repeat(20)}`)),
    },
    {
      name: 'a session that is not recorded',
      code: 'RECORDING_INVALID',
      problem: 'not recorded',
      rule: null,
      call: (id) => append(head(id)),
    },
    {
      name: 'a group membership',
      code: 'RECORDING_INVALID',
      problem: 'not recorded',
      options: GROUP,
      call: (id) => append(head(id)),
    },
    {
      name: 'more than the policy says',
      code: 'RECORDING_INVALID',
      problem: 'more was',
      call: (id) => append(head(id, { mode: 'input_and_output' })),
    },
    {
      name: 'half an event',
      code: 'RECORDING_INVALID',
      problem: 'not whole',
      call: (id) => append(head(id), office.web, Buffer.from('00')),
    },
    {
      name: 'an event that is wrong',
      code: 'RECORDING_INVALID',
      problem: 'byte 0 is bad',
      call: (id) => append(head(id), office.web, framed(Buffer.from('!'))),
    },
    {
      name: 'two agents with one identity',
      code: 'DEVICE_IDENTITY_CONFLICT',
      call: (id) => append(head(id), { ...office.web, state: 'identity_conflict' }),
    },
  ];
  for (const { name, code, problem, rule = RULE, options = SUDO, call } of refusals)
    it(`are not taken from ${name}`, async () => {
      const { id } = await started(rule, options);
      await refused(code, () => call(id), problem);
    });

  it('are nothing that operators give directly', async () => {
    await started(RULE);
    const given = {
      user: 'vera',
      device: 'db-1',
      account: 'vera',
      durationMs: MINUTE,
      reason: 'a look',
      options: SUDO,
    };
    const session = await office.sessions.grant(office.by('olga'), given);
    assert.equal(session.record_mode, null);
  });

  it('are in the audit log before anybody sees one, and each wish to cut is, once', async () => {
    const session = await started(RULE);
    await append(head(session.id));
    const shown = await recordings.watch(office.by('adam'), 'rec-aa');
    assert.equal(shown.stored.head.id, ID);
    await recordings.cut(office.by('anna'), ID);
    await recordings.cut(office.by('bert'), ID);
    assert.deepEqual(await recordings.toCut(office.web.id), [ID]);
    for (const [type, actor] of [
      ['recording.watched', 'user:adam'],
      ['recording.cut', 'user:anna'],
    ] as const) {
      const events = await audited(type);
      assert.deepEqual(
        events.map((one) => [one.actor, one.subject]),
        [[actor, ID]],
      );
      assert.ok(JSON.stringify(events).includes(session.id));
    }
    await append(head(session.id, { state: 'complete' }));
    await refused('RECORDING_NOT_RUNNING', () => recordings.cut(office.by('anna'), ID));
    await refused('RECORDING_NOT_FOUND', () => recordings.watch(office.by('adam'), 'rec-zz'));
  });

  it('are listed with the time of their deletion once their session is over', async () => {
    const { id } = await started({ ...RULE, keepMs: DAY });
    for (const letter of ['b', 'a', 'c']) await append(head(id, { id: `rec-${letter.repeat(20)}` }));
    const first = await recordings.list(id, { pageSize: 2, pageToken: '' });
    assert.deepEqual([first.total, first.recordings.length, first.recordings[0]?.deleteAtMs], [3, 2, null]);
    await ended(id);
    const second = await recordings.list(id, { pageSize: 2, pageToken: first.nextPageToken });
    assert.deepEqual(
      second.recordings.map(({ stored, deleteAtMs }) => [stored.head.id, deleteAtMs]),
      [[`rec-${'c'.repeat(20)}`, office.clock.now() + DAY]],
    );
    assert.equal(second.nextPageToken, '');
    await refused('PAGE_TOKEN_INVALID', () => recordings.list(id, { pageSize: 2, pageToken: 'x.y' }));
    await refused('SESSION_NOT_FOUND', () => recordings.list('ses-zz', { pageSize: 2, pageToken: '' }));
  });

  it('are deleted when they are kept no longer, with one event for all of them', async () => {
    const kept = await started({ ...RULE, keepMs: HOUR });
    await append(head(kept.id));
    await append(head(kept.id, { id: `rec-${'b'.repeat(20)}` }));
    office.clock.advance(durationMs(MINUTE));
    await ended(kept.id);
    await sweep();
    office.clock.advance(durationMs(HOUR - 1));
    await sweep();
    assert.equal(await store.count(kept.id), 2);
    assert.deepEqual(await audited('recordings.deleted'), []);
    office.clock.advance(durationMs(1));
    await sweep();
    await sweep();
    assert.equal(await store.count(kept.id), 0);
    const [event, ...more] = await audited('recordings.deleted');
    assert.deepEqual([event?.actor, more], ['server', []]);
    assert.match(JSON.stringify(event?.data), /"bytes":10,"recordings":2/);
  });

  it('of a session that a restored ledger has lost are kept as long as the default says', async () => {
    const { id } = await started({ ...RULE, keepMs: HOUR });
    await append(head(id));
    const other = await openOffice();
    const context = { ...office.context, ledger: other.ledger };
    const left = new Recordings(context, store, 90 * DAY);
    await sweepRecordings(context, store, 90 * DAY);
    office.clock.advance(durationMs(90 * DAY - 1));
    await sweepRecordings(context, store, 90 * DAY);
    assert.equal((await left.get(ID)).stored.head.id, ID);
    office.clock.advance(durationMs(1));
    await sweepRecordings(context, store, 90 * DAY);
    await assert.rejects(left.get(ID), (error: CurfewError) => error.code === 'RECORDING_NOT_FOUND');
    await other.ledger.close();
  });

  it('of a device that is removed are over, whatever it said last', async () => {
    const { id } = await started(RULE);
    await append(head(id));
    await sweep();
    assert.equal((await recordings.get(ID)).stored.head.state, 'running');
    await office.devices.remove(office.by('adam'), 'web-1');
    await sweep();
    assert.equal((await recordings.get(ID)).stored.head.state, 'cut_short');
  });
});
