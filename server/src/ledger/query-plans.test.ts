import {
  durationMs,
  ManualClock,
  MINUTE,
  silentLogger,
  systemRandom,
  type Clock,
  type InstantMs,
} from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AuditLog } from '../audit/audit-log.js';
import { Devices } from '../devices/devices.js';
import { JoinTokens } from '../devices/join-tokens.js';
import { SilentDevices } from '../devices/silent-devices.js';
import { ledgerSamples } from '../metrics/ledger-samples.js';
import { nextTurn } from '../next-turn.js';
import { Notifier } from '../notifiers/notifier.js';
import { delivered, refused } from '../notifiers/sender.js';
import { Overview } from '../overview/overview.js';
import { Requests } from '../requests/requests.js';
import { confirmFormer } from '../sessions/confirm-former.js';
import { listSessions, type SessionFilter } from '../sessions/list-sessions.js';
import { Observations } from '../sessions/observations.js';
import { Sessions } from '../sessions/sessions.js';
import { ApiTokens } from '../users/api-tokens.js';
import { Users } from '../users/users.js';
import { dueResources, dueTasks, endingUnbegun, otherHolder } from '../timed-access/grant-task.js';
import { noticeOverdue } from '../timed-access/overdue.js';
import { PreparedStatements } from './prepared-statements.js';
import { SqliteLedger } from './sqlite-ledger.js';

const SETTINGS = {
  maxSessionMs: 60 * MINUTE,
  decideWithinMs: 60 * MINUTE,
  startWithinMs: 60 * MINUTE,
  passwordRequired: false,
  linkAccounts: 'by_name',
} as const;
const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const ALICE = { name: 'alice', uid: 1000, fingerprint: 'b'.repeat(64) };

/** What stays small for ever: what operators have made, and what they have yet to settle. */
const SMALL = [
  'ledger_meta',
  'request_state_allowed',
  'session_state_allowed',
  'channel',
  'connector',
  'resource_drift',
  // A part of a statement whose own steps are looked at.
  'live_place',
];
/** Indexes of what is there now: reading one from end to end reads no history. */
const LIVE = [
  'session_due',
  'session_unconfirmed',
  'session_live',
  'session_with_offline_rule',
  'access_request_review_waiting',
  'policy_by_position',
  'device_name_unique',
  'device_to_look_at',
  'resource_grant_due',
  'resource_grant_not_begun',
];
/** How a step reads all that somebody, or something, ever had: by an index of everything, and by who it is alone. */
const WHOLE_PAST = new RegExp(
  [
    'session_by_(?:user|device|resource|user_and_policy) \\(\\w+_id[=>]\\?\\)$',
    'access_request_by_(?:user|device|resource) \\(\\w+_id[=>]\\?\\)$',
  ].join('|'),
);

const NOTE_KEY = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };

const openLedger = (file: string, clock: Clock): Promise<SqliteLedger> =>
  SqliteLedger.open({
    file,
    clock,
    random: systemRandom,
    noteKey: NOTE_KEY,
    fatal: (error) => assert.fail(String(error)),
  });

const NO_FILTER: SessionFilter = {
  kind: '',
  states: [],
  user: '',
  device: '',
  resource: '',
  text: '',
  platform: '',
  endingWithinMs: undefined,
  createdAfterMs: undefined,
};

describe('the work of every minute', () => {
  let folder: string;
  let statements: Set<string>;
  const original: PreparedStatements['prepare'] = Reflect.get(PreparedStatements.prototype, 'prepare');

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-plans-'));
    statements = new Set();
    PreparedStatements.prototype.prepare = function (text) {
      statements.add(text);
      return original.call(this, text);
    };
  });

  afterEach(() => {
    PreparedStatements.prototype.prepare = original;
    rmSync(folder, { recursive: true, force: true });
  });

  /** Everything that happens again and again while the fleet works; lists and searches are for people, and may read. */
  async function workThrough(file: string): Promise<void> {
    const clock = new ManualClock();
    const ledger = await openLedger(file, clock);
    const context = { ledger, clock, random: systemRandom, settings: SETTINGS };
    const [users, devices, requests, sessions, tokens, log] = [
      new Users(context),
      new Devices(context),
      new Requests(context),
      new Sessions(context),
      new ApiTokens(context),
      new AuditLog(ledger, NOTE_KEY),
    ];
    statements.clear();
    const { id: userId } = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    const olga = { userId, userName: 'olga', tokenId: '', role: 'owner' } as const;
    const token = { user: 'olga', label: '', scope: undefined, ttlMs: MINUTE };
    await tokens.authenticate((await tokens.create({ actor: { kind: 'server' } }, token)).secret);
    const { secret } = await new JoinTokens(context, 'f'.repeat(64)).create(olga, { uses: 1, ttlMs: MINUTE });
    const device = await devices.enroll({ joinToken: secret, keyHash: 'a'.repeat(64), hostname: 'web-1', facts: {} });
    await devices.byKeyHash('a'.repeat(64));
    await devices.report(device.id, {
      accounts: [{ ...ALICE, standingAdmin: false, ineligibleReason: '' }],
      findings: [],
      leaseRefusals: [],
    });
    await devices.hello(device, { incarnation: 1, floorGeneration: 0, floorEpoch: 0, forgotten: false });
    const asked = { account: ALICE, durationMs: MINUTE, reason: 'a look', options: OPTIONS };
    const request = await requests.create(device, asked);
    await requests.approve(olga, request.id, { reason: '' });
    await requests.ofDevice(device.id);
    await requests.sweep();
    const { id } = await sessions.start(device, ALICE, request.id);
    const observations = new Observations(context);
    const observe = async (held: boolean): Promise<void> => {
      const [desired] = await devices.desired([device.id]);
      const { generation = 0 } = desired?.device ?? {};
      const grants = held ? [{ sessionId: id, epoch: 1 }] : [];
      await observations.take(device, { incarnation: 1, generation, held: grants, ended: [] });
    };
    await observe(true);
    await sessions.extend(olga, id, MINUTE);
    await sessions.revoke(olga, { ids: [id.slice(0, 12)] }, 'enough');
    await sessions.revoke(olga, { user: 'alice' }, 'enough');
    await sessions.revoke(olga, { device: 'web-1' }, 'enough');
    await sessions.revoke(olga, 'everything', 'enough');
    await observe(false);
    await sessions.endedAmong([id]);
    await sessions.byIds([id]);
    await sessions.grant(olga, { ...asked, user: 'alice', device: 'web-1', account: '' });
    clock.advance(durationMs(2 * MINUTE));
    await sessions.expireDue();
    await sessions.expireOffline(() => undefined);
    const silent = new SilentDevices(context);
    for (const lost of [0, undefined]) await silent.sweep(() => lost);
    await confirmFormer(context);
    await ledger.read(dueResources);
    await ledger.read(endingUnbegun);
    await ledger.read((db) => dueTasks(db, 'res-1', clock.now()));
    await ledger.read((db) => otherHolder(db, 'res-1', 'alice', 'ses-1'));
    await ledger.write((tx) => noticeOverdue(tx, clock.now(), MINUTE));
    await devices.get('web-1');
    await devices.seen(device.id);
    const { note } = await log.update('');
    await log.update(note);
    await followOnce(ledger, clock);
    const overview = new Overview(context, { isLinked: () => false, linkedDevices: [] });
    await overview.of(olga);
    await ledgerSamples(ledger, clock.now());
    await ledger.close();
  }

  /** A notice that is refused, waits, is tried again and arrives; another channel that keeps the order. */
  async function followOnce(ledger: SqliteLedger, clock: ManualClock): Promise<void> {
    for (const [kind, id] of [
      ['webhook', 'chn-1'],
      ['syslog', 'chn-2'],
    ] as const) {
      const row = {
        id,
        name: id,
        name_key: id,
        kind,
        target: '',
        event_types: '["session."]',
        disabled: 0,
        secret: '',
      };
      const standing = { created_at_ms: 0, cursor: 0, last_error: '', last_delivered_at_ms: null };
      await ledger.write(async ({ db }) => {
        await db
          .insertInto('channel')
          .values({ ...row, ...standing })
          .execute();
      });
    }
    let calls = 0;
    const send = async () => (calls++ < 4 ? refused('no') : delivered('ok'));
    const senderOf = ({ kind }: { readonly kind: string }) => ({ ordered: kind === 'syslog', send });
    const notifier = new Notifier({ ledger, clock, random: systemRandom, logger: silentLogger, senderOf });
    await notifier.start();
    for (let turn = 0; turn < 100; turn++) {
      await nextTurn();
      clock.advance(durationMs(1_000));
    }
    await notifier.sweep();
    await notifier.stop();
    assert.ok(calls > 10, `${calls} attempts`);
  }

  /** What the console and the command line show first: what is there now, in every order and of everybody. */
  async function lookThrough(file: string): Promise<void> {
    const ledger = await openLedger(file, new ManualClock());
    statements.clear();
    const [user, device] = ['olga', 'web-1'];
    for (const orderBy of ['create_time', 'expire_time', 'user_name', 'device_name', 'resource_name', 'state'])
      for (const filter of [{}, { user }, { device }, { kind: 'timed_access' }, { user, device, text: 'a look' }]) {
        const input = { filter: { ...NO_FILTER, ...filter }, orderBy, pageSize: 10, pageToken: '' };
        await ledger.read((db) => listSessions(db, ledger.sessionSearch, input, 0 as InstantMs));
      }
    await ledger.close();
  }

  /** The steps of a statement that read all that one person or device ever had. What ends with a page of it does not. */
  function readsOfAPast(db: Database.Database, text: string): string[] {
    const values = Array.from(text.matchAll(/\?/g), () => null);
    const plan = (db.prepare(`explain query plan ${text}`).all(values) as { detail: string }[]).map(
      ({ detail }) => detail,
    );
    const isPage = text.endsWith(' limit ?') && !plan.some((step) => step.includes('TEMP B-TREE FOR ORDER BY'));
    return isPage ? [] : plan.filter((step) => WHOLE_PAST.test(step));
  }

  /** The steps of a statement that read a whole table or index. */
  function scans(db: Database.Database, text: string): string[] {
    const values = Array.from(text.matchAll(/\?/g), () => null);
    // The first of an index's order is read and no more.
    const first = text.endsWith(' limit ?') && !text.includes(' where ');
    const plan = db.prepare(`explain query plan ${text}`).all(values) as { detail: string }[];
    return plan
      .map(({ detail }) => detail)
      .filter((step) => step.startsWith('SCAN ') && step !== 'SCAN CONSTANT ROW')
      .filter((step) => !(first && step.includes(' USING INDEX ')))
      .filter((step) => !SMALL.some((table) => step.startsWith(`SCAN ${table}`)))
      .filter((step) => !LIVE.some((index) => step.includes(`INDEX ${index}`)));
  }

  it('never reads the history from end to end, so that it costs the same after years', async () => {
    const file = path.join(folder, 'ledger.db');
    await workThrough(file);
    assert.ok(statements.size > 50, `only ${statements.size} statements`);
    const db = new Database(file);
    const found = [...statements]
      .filter((text) => /^(select|update|delete)\b|^insert\b.* select\b/.test(text))
      .flatMap((text) => scans(db, text).map((step) => `${step}: ${text}`));
    db.close();
    assert.deepEqual(found, []);
  });

  it('never reads all that one person or device ever had, and neither does a list of what is there now', async () => {
    const file = path.join(folder, 'ledger.db');
    await workThrough(file);
    const worked = [...statements];
    await lookThrough(file);
    assert.ok(statements.size > 20, `only ${statements.size} statements of lists`);
    // Whatever else is asked of them, few hits are searched for once.
    assert.equal([...statements].filter((text) => text.includes('session_search match')).length, 1);
    const db = new Database(file);
    const found = [...worked, ...statements]
      .filter((text) => /^\s*(select|update|delete)\b|^insert\b.* select\b/.test(text))
      .flatMap((text) => readsOfAPast(db, text).map((step) => `${step}: ${text}`));
    db.close();
    assert.deepEqual(found, []);
  });
});
