import { ManualClock, newId, systemRandom, type SessionState } from '@curfew/shared';
import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { listSessions, type SessionFilter } from '../sessions/list-sessions.js';
import { SqliteLedger } from './sqlite-ledger.js';

const ANY: SessionFilter = {
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
const LIFE: readonly SessionState[] = ['starting', 'active', 'ending', 'ended'];

/** Each is found by its reason's first word here. */
const SESSIONS = [
  { user: 'Ägidius', device: 'Büro-1', account: 'root-ÄÖ', reason: 'one: Ärger im Büro' },
  { user: 'Ирина', device: 'web-2', account: 'ИРА', reason: 'two: ОБНОВИТЬ сервер' },
  { user: 'alice', device: 'db-3', account: 'alice', reason: `three: "quoted" 100% NEAR(a b) * AND ^x a_b c\\d it's` },
  { user: 'bob', device: 'db-4', account: 'bob', reason: 'four: 日本 の' },
  { user: 'bob', device: 'db-5', account: 'bob', reason: 'five: NEAR the end', state: 'ended' },
] as const;

describe('the search of sessions', () => {
  let folder: string;
  let file: string;
  let ledger: SqliteLedger;
  const clock = new ManualClock();

  const open = async (): Promise<void> => {
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file, clock, random: systemRandom, noteKey, fatal });
  };

  beforeEach(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'curfew-search-'));
    file = path.join(folder, 'ledger.db');
    await open();
    await insert(SESSIONS);
  });

  afterEach(async () => {
    await ledger.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const insert = (given: readonly ((typeof SESSIONS)[number] & { state?: SessionState })[]): Promise<void> =>
    ledger.write(async ({ db }) => {
      const [users, devices] = [new Map<string, string>(), new Map<string, string>()];
      for (const [at, { user, device, account, reason, state = 'active' }] of given.entries()) {
        const userId = users.get(user) ?? newId('user', systemRandom);
        if (!users.has(user)) {
          const row = { id: userId, name: user, name_key: user.toLowerCase(), display_name: '', role: 'user' };
          await db
            .insertInto('app_user')
            .values({ ...row, disabled: 0, created_at_ms: 0 })
            .execute();
          users.set(user, userId);
        }
        const deviceId = devices.get(device) ?? newId('device', systemRandom);
        if (!devices.has(device)) {
          const numbers = { generation: 1, applied_generation: 1, epoch: 0, revoked_epoch: 0, enrolled_at_ms: 0 };
          const row = {
            id: deviceId,
            name: device,
            key_hash: deviceId,
            state: 'enrolled',
            facts: '{}',
            findings: '[]',
          };
          await db
            .insertInto('device')
            .values({ ...row, ...numbers })
            .execute();
          devices.set(device, deviceId);
        }
        const id = newId('session', systemRandom);
        const moves = LIFE.slice(0, LIFE.indexOf(state) + 1);
        for (const [before, to] of moves.entries())
          await db
            .insertInto('session_transition')
            .values({
              session_id: id,
              seq: before + 1,
              prior_seq: before,
              prior_state: before === 0 ? 'none' : (moves[before - 1] ?? 'none'),
              state: to,
              at_ms: 0,
            })
            .execute();
        const over = state === 'ended' ? ({ ended_at_ms: 1, end_reason: 'expired' } as const) : {};
        await db
          .insertInto('session')
          .values({
            id,
            kind: 'device_admin',
            state,
            seq: moves.length,
            user_id: userId,
            device_id: deviceId,
            uid: 1000 + at,
            account: JSON.stringify({ name: account, uid: 1000 + at, fingerprint: 'f'.repeat(64) }),
            options: '{}',
            reason,
            granted_by: '',
            epoch: 1,
            duration_ms: 1,
            created_at_ms: at,
            expires_at_ms: 1_000 + at,
            ended_by: '',
            end_detail: '',
            revision: 0,
            ...over,
          })
          .execute();
      }
    });

  const list = (filter: Partial<SessionFilter>, orderBy = '', pageSize = 100, pageToken = '') =>
    ledger.read((db) =>
      listSessions(
        db,
        ledger.sessionSearch,
        { filter: { ...ANY, ...filter }, orderBy, pageSize, pageToken },
        clock.now(),
      ),
    );
  /** The first word of each reason; the number that is told is the number that comes. */
  const found = async (text: string, states: readonly SessionState[] = []): Promise<string[]> => {
    const { sessions, total } = await list({ text, states });
    assert.equal(total, sessions.length);
    return sessions.map(({ reason }) => reason.split(':')[0] ?? '');
  };

  for (const { text, finds } of [
    { text: 'ärger', finds: ['one'] },
    { text: 'ÄRGER', finds: ['one'] },
    { text: 'büro', finds: ['one'] },
    { text: 'ägidius', finds: ['one'] },
    { text: 'ROOT-äö', finds: ['one'] },
    { text: 'ирина', finds: ['two'] },
    { text: 'обновить', finds: ['two'] },
    { text: 'WEB-2', finds: ['two'] },
    { text: 'db-', finds: ['three', 'four'] },
    { text: 'ALICE', finds: ['three'] },
    // Fewer than three letters.
    { text: 'äö', finds: ['one'] },
    { text: 'Ä', finds: ['one'] },
    { text: 'и', finds: ['two'] },
    { text: 'бН', finds: ['two'] },
    { text: '日本', finds: ['four'] },
    { text: 'B-', finds: ['two', 'three', 'four'] },
    { text: '%', finds: ['three'] },
    { text: '_', finds: ['three'] },
    { text: '\\', finds: ['three'] },
    { text: '*', finds: ['three'] },
    { text: '"', finds: ['three'] },
    { text: "'", finds: ['three'] },
    { text: '{', finds: [] },
    // Signs that mean something to SQLite.
    { text: '"quoted"', finds: ['three'] },
    { text: 'NEAR(a b)', finds: ['three'] },
    { text: 'near(', finds: ['three'] },
    { text: '100%', finds: ['three'] },
    { text: 'one%Büro', finds: [] },
    { text: 'a_b', finds: ['three'] },
    { text: 'a%b', finds: [] },
    { text: 'c\\d', finds: ['three'] },
    { text: "it's", finds: ['three'] },
    { text: 'reason:one', finds: [] },
    { text: 'one OR two', finds: [] },
    { text: 'quot*', finds: [] },
    { text: '^x ', finds: ['three'] },
    { text: '"""', finds: [] },
    { text: 'alice\0', finds: [] },
    { text: '\0', finds: [] },
    { text: '\ud800ab', finds: [] },
    // Two texts of one session are not one text.
    { text: 'alicedb-3', finds: [] },
    { text: 'fingerprint', finds: [] },
    { text: 'ffff', finds: [] },
  ])
    it(`finds ${finds.join(', ') || 'nothing'} by ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(await found(text), finds);
    });

  it('finds what is over when that is asked for, and only then', async () => {
    assert.deepEqual(await found('near'), ['three']);
    assert.deepEqual(await found('near', ['ended']), ['five']);
    assert.deepEqual(await found('near', ['active', 'ended']), ['three', 'five']);
  });

  for (const { name, count } of [
    { name: 'few', count: 7 },
    { name: 'too many to look up one by one', count: 3_100 },
  ])
    it(`goes through pages in every order when ${name} match`, async () => {
      const many = Array.from({ length: count }, (_, at) => ({
        user: `uwe-${at % 3}`,
        device: `many-${at}`,
        account: 'uwe',
        reason: `many: the same ${at}`,
      }));
      await insert(many as never);
      for (const order of ['user_name', 'device_name desc', 'create_time desc', 'expire_time']) {
        const whole = await list({ text: 'the same' }, order, 5_000);
        assert.equal(whole.total, count, order);
        const ids: string[] = [];
        for (let pageToken: string | undefined = ''; pageToken !== undefined;) {
          const page = await list({ text: 'the same' }, order, count > 100 ? 1_000 : 3, pageToken);
          assert.equal(page.total, count, order);
          ids.push(...page.sessions.map(({ id }) => id));
          pageToken = page.nextPageToken === '' ? undefined : page.nextPageToken;
        }
        assert.equal(new Set(ids).size, count, order);
        assert.deepEqual(
          ids,
          whole.sessions.map(({ id }) => id),
          order,
        );
        const all = await list({}, order, 5_000);
        const same = all.sessions.filter(({ reason }) => reason.includes('the same'));
        assert.deepEqual(
          ids,
          same.map(({ id }) => id),
          order,
        );
      }
    }).timeout(60_000);

  it('finds the same after the file was packed', async () => {
    await ledger.close();
    const db = new Database(file);
    // Rows that are gone would shift those behind them.
    db.exec('drop trigger session_transition_is_append_only_delete');
    db.exec("delete from session where reason like 'one:%'; vacuum");
    db.exec(`vacuum into '${file}.packed'`);
    db.close();
    for (const packed of [file, `${file}.packed`]) {
      file = packed;
      await open();
      assert.deepEqual(await found('обновить'), ['two'], packed);
      assert.deepEqual(await found('near('), ['three'], packed);
      assert.deepEqual(await found('near', ['ended']), ['five'], packed);
      if (packed.endsWith('.packed')) break;
      await ledger.close();
    }
  });

  it('finds what was there before it was', async () => {
    await ledger.close();
    const db = new Database(file);
    const made = "select name from sqlite_master where type = 'trigger' and name like '%never_changes'";
    for (const name of db.prepare(made).pluck().all() as string[])
      if (!name.startsWith('channel_')) db.exec(`drop trigger ${name}`);
    db.exec('drop trigger session_is_searched; drop table session_search');
    db.exec("delete from kysely_migration where name = '0007-search'");
    db.close();
    await open();
    assert.deepEqual(await found('обновить'), ['two']);
    assert.deepEqual(await found('near', ['ended']), ['five']);
  });

  for (const { table, change } of [
    { table: 'session', change: "reason = 'other'" },
    { table: 'session', change: "account = '{}'" },
    { table: 'app_user', change: "name = 'other'" },
    { table: 'device', change: "name = 'other'" },
  ])
    it(`keeps ${table}.${change.split(' ')[0] ?? ''} from changing under it`, () => {
      const db = new Database(file);
      try {
        assert.throws(() => db.exec(`update ${table} set ${change}`), /_never_changes/);
      } finally {
        db.close();
      }
    });
});
