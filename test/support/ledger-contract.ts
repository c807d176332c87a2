import { Devices, JoinTokens, type Change, type Ledger, type LedgerReader } from '@curfew/server/parts';
import {
  CurfewError,
  HOUR,
  leafHash,
  MerkleFrontier,
  openCheckpoint,
  noteVerificationKey,
  REQUEST_MOVES,
  REQUEST_STATES,
  SESSION_MOVES,
  SESSION_STATES,
  SystemClock,
  systemRandom,
} from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { sql } from 'kysely';
import { ledgerRows } from './ledger-rows.js';

/** What every test's ledgers sign with. */
export const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
const SETTINGS = {
  maxSessionMs: HOUR,
  decideWithinMs: HOUR,
  startWithinMs: HOUR,
  passwordRequired: false,
  linkAccounts: 'manual',
} as const;
const SERVER = { kind: 'server' } as const;

/** A kind of ledger, as its tests see it. */
export interface LedgerStage {
  /** The words with which it refuses a row that refers to nothing, or to what is not allowed. */
  readonly refusal: RegExp;
  /** Makes an empty one. */
  begin(): Promise<Ledger>;
  /** Opens the one that was made last once more, as another process would. */
  another(): Promise<Ledger>;
  /** After each test, when its ledgers are closed. */
  end(): Promise<void>;
}

/** What must be true of every ledger. */
export function ledgerContract(stage: LedgerStage): void {
  let ledger: Ledger;

  beforeEach(async () => {
    ledger = await stage.begin();
  });

  afterEach(async () => {
    await ledger.close();
    await stage.end();
  });

  const note = (id: string, fails = false) =>
    ledger.write(async (tx) => {
      await sql`insert into ledger_meta (key, value) values (${id}, 'x')`.execute(tx.db);
      tx.audit({ type: 'test.noted', actor: SERVER, subject: id });
      tx.changed('user', id);
      if (fails) throw new CurfewError('USER_NOT_FOUND', { given: id });
      return id;
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

  it('commits what arrives together at once, and undoes one that fails alone', async () => {
    const groups: string[][] = [];
    ledger.onChange((changes: readonly Change[]) => groups.push(changes.map(({ id }) => id)));
    const results = await Promise.allSettled([note('a'), note('b', true), note('c')]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(await noted(), ['a', 'c']);
    assert.deepEqual(await audited(), ['a', 'c']);
    assert.deepEqual(groups, [['a', 'c']]);
    const checkpoints = await ledger.read((db) => db.selectFrom('audit_checkpoint').select('size').execute());
    assert.deepEqual(checkpoints, [{ size: 2 }]);
  });

  it('lets others in between the writes of one who writes again and again', async () => {
    const state = { isOver: false };

    setImmediate(() => setImmediate(() => (state.isOver = true)));
    let written = 0;
    for (; !state.isOver && written < 1_000; written++) await note(String(written));
    assert.ok(state.isOver, `after ${written} writes nobody else had a turn`);
  });

  it('shows a read nothing that is not committed, and nothing that came after it began', async () => {
    const keys = async (db: LedgerReader): Promise<string[]> =>
      (await db.selectFrom('ledger_meta').select('key').where('value', '=', 'x').execute()).map(({ key }) => key);
    let meanwhile: Promise<string[]> | undefined;
    const undone = ledger.write(async ({ db }) => {
      await sql`insert into ledger_meta (key, value) values ('a', 'x')`.execute(db);
      meanwhile = ledger.read(keys);
      await nextTurn();
      throw new CurfewError('USER_NOT_FOUND', { given: 'a' });
    });
    await assert.rejects(undone, { code: 'USER_NOT_FOUND' });
    assert.deepEqual(await meanwhile, []);
    const slow = ledger.read(async (db) => {
      const before = await keys(db);
      await nextTurn();
      await nextTurn();
      return [before, await keys(db)];
    });
    await note('b');
    assert.deepEqual(await slow, [[], []]);
    assert.deepEqual(await noted(), ['b']);
  });

  it('signs checkpoints over exactly the events that it holds, also after it was closed and opened', async () => {
    await note('a');
    await ledger.close();
    ledger = await stage.another();
    await note('b');
    await note('c');
    const frontier = MerkleFrontier.empty();
    const events = await ledger.read((db) => db.selectFrom('audit_event').select('record').orderBy('idx').execute());
    for (const { record } of events) frontier.append(leafHash(record));
    const newest = await ledger.read((db) =>
      db.selectFrom('audit_checkpoint').select('note').orderBy('size', 'desc').limit(1).executeTakeFirstOrThrow(),
    );
    const checkpoint = openCheckpoint(newest.note, noteVerificationKey(noteKey));
    assert.equal(checkpoint?.size, 3);
    assert.ok(checkpoint.root.equals(frontier.root()));
  });

  for (const table of [
    'audit_event',
    'audit_node',
    'audit_checkpoint',
    'session_transition',
    'access_request_transition',
  ])
    it(`lets nobody change or delete a row of ${table}`, async () => {
      await note('a');
      const insert: Record<string, string> = {
        session_transition: `insert into session_transition values ('s', 1, 0, 'none', 'starting', 0)`,
        access_request_transition: `insert into access_request_transition values ('r', 1, 0, 'none', 'pending', 0)`,
      };
      const run = (statement: string) => ledger.write(({ db }) => sql.raw(statement).execute(db));
      if (insert[table] !== undefined) await run(insert[table]);
      const rows = () =>
        ledger.read((db) =>
          sql
            .raw(`select * from ${table}`)
            .execute(db)
            .then(({ rows: found }) => JSON.stringify(found)),
        );
      const before = await rows();
      assert.notEqual(before, '[]');
      const column = { audit_event: 'type', audit_node: 'hash', audit_checkpoint: 'note' }[table] ?? 'at_ms';
      const forged = { audit_event: `'forged'`, audit_checkpoint: `'forged'` }[table] ?? column;
      const appendOnly = new RegExp(`${table}_is_append_only`);
      await assert.rejects(run(`update ${table} set ${column} = ${forged}`), appendOnly);
      await assert.rejects(run(`delete from ${table}`), appendOnly);
      assert.equal(await rows(), before);
    });

  const machines = [
    { table: 'session_transition', states: SESSION_STATES, moves: SESSION_MOVES },
    { table: 'access_request_transition', states: REQUEST_STATES, moves: REQUEST_MOVES },
  ] as const;
  for (const { table, states, moves } of machines)
    it(`allows in ${table} exactly the moves of the table in shared`, async () => {
      const insert = (id: string, seq: number, from: string, to: string) =>
        ledger.write(({ db }) =>
          sql.raw(`insert into ${table} values ('${id}', ${seq}, ${seq - 1}, '${from}', '${to}', 0)`).execute(db),
        );
      // Every state, reached by a shortest legal way.
      const ways = new Map<string, string[]>([['none', []]]);
      for (const _ of states)
        for (const [from, to] of moves) {
          const way = ways.get(from ?? 'none');
          if (way !== undefined && !ways.has(to)) ways.set(to, [...way, to]);
        }
      for (const [from, way] of ways)
        for (const to of states) {
          const id = `${from}-${to}`;
          const path_ = ['none', ...way];
          for (let at = 1; at < path_.length; at += 1) await insert(id, at, path_[at - 1] ?? '', path_[at] ?? '');
          const legal = moves.some(([a, b]) => (a ?? 'none') === from && b === to);
          const attempt = insert(id, path_.length, from, to);
          if (legal) await attempt;
          else await assert.rejects(attempt, stage.refusal, `${from} to ${to}`);
        }
      await insert('liar', 1, 'none', states[0]);
      const [from, to] = moves.find(([a]) => a !== null && a !== states[0]) ?? ['', ''];
      await assert.rejects(insert('liar', 2, from ?? '', to), /transition_follows/);
    });

  const USER = `insert into app_user (id, name, name_key, display_name, role, disabled, created_at_ms)
    values ('u', 'alice', 'alice', '', 'user', 0, 0)`;
  for (const { rule, before, statement } of [
    {
      rule: 'policy_version_follows',
      statement: `insert into policy_version (name, version, policy_id, description, disabled,
      spec, created_at_ms, created_by) values ('default', 3, 'p', '', 0, '{}', 0, 'x')`,
    },
    { rule: 'policy_version_is_append_only', statement: `update policy_version set description = 'x'` },
    { rule: 'policy_is_its_last_version', statement: `update policy set description = 'x'` },
    { rule: 'app_user_name_never_changes', before: USER, statement: `update app_user set name = 'bob'` },
    {
      rule: 'join_token_not_overused',
      statement: `insert into join_token (id, hash, uses, uses_left, created_by,
      created_at_ms, expires_at_ms) values ('t', 'h', 1, 2, '', 0, 0)`,
    },
    {
      rule: 'session_state_is_last_transition',
      before: USER,
      statement: `insert into session (id, kind, state, seq, user_id,
      device_id, resource_id, uid, account, options, reason, granted_by, epoch, duration_ms, created_at_ms, expires_at_ms,
      ended_by, end_detail, revision) values ('s', 'device_admin', 'starting', 1, 'u', null, null, 1, '{}', '{}', '', '', 1,
      1, 0, 1, '', '', 0)`,
    },
    {
      rule: 'user_password_is_argon2id',
      before: USER,
      statement: `insert into user_password (user_id, hash, must_change,
      changed_at_ms) values ('u', 'plain', 0, 0)`,
    },
    {
      rule: 'oidc_identity|foreign key|FOREIGN KEY',
      statement: `insert into oidc_identity (issuer, subject, user_id)
      values ('i', 's', 'nobody')`,
    },
  ])
    it(`refuses what no program may do: ${rule}`, async () => {
      const run = (text: string) => ledger.write(({ db }) => sql.raw(text).execute(db));
      if (before !== undefined) await run(before);
      const rows = await ledgerRows(ledger);
      await assert.rejects(run(statement), new RegExp(rule));
      assert.equal(await ledgerRows(ledger), rows);
    });

  it('finds sessions by what people type, in every script and with every sign', async () => {
    const sessions = [
      { id: 'one', user: 'Ägidius', device: 'Büro-1', account: 'root-ÄÖ', reason: 'Ärger im Büro' },
      { id: 'two', user: 'Ирина', device: 'web-2', account: 'ИРА', reason: 'ОБНОВИТЬ сервер' },
      { id: 'three', user: 'alice', device: 'db-3', account: 'alice', reason: `"quoted" 100% a_b c\\d it's` },
    ];
    await ledger.write(async ({ db }) => {
      for (const [at, { id, user, device, account, reason }] of sessions.entries()) {
        const person = { id: `u${at}`, name: user, name_key: user.toLowerCase(), display_name: '', role: 'user' };
        await db
          .insertInto('app_user')
          .values({ ...person, disabled: 0, created_at_ms: 0 })
          .execute();
        const numbers = { generation: 1, applied_generation: 1, epoch: 0, revoked_epoch: 0, enrolled_at_ms: 0 };
        const machine = {
          id: `d${at}`,
          name: device,
          key_hash: `k${at}`,
          state: 'enrolled',
          facts: '{}',
          findings: '[]',
        };
        await db
          .insertInto('device')
          .values({ ...machine, ...numbers })
          .execute();
        await sql.raw(`insert into session_transition values ('${id}', 1, 0, 'none', 'starting', 0)`).execute(db);
        await db
          .insertInto('session')
          .values({
            ...{ id, kind: 'device_admin', state: 'starting', seq: 1, user_id: `u${at}`, device_id: `d${at}`, uid: at },
            ...{
              account: JSON.stringify({ name: account, fingerprint: 'ffff' }),
              options: '{}',
              reason,
              granted_by: '',
            },
            ...{
              epoch: 1,
              duration_ms: 1,
              created_at_ms: 0,
              expires_at_ms: 1,
              ended_by: '',
              end_detail: '',
              revision: 0,
            },
          })
          .execute();
      }
    });
    const found = (text: string): Promise<string> =>
      ledger.read(async (db) => {
        const { condition } = await ledger.sessionSearch.match(db, text, true);
        const { rows } = await sql<{ id: string }>`select s.id from session s where ${condition} order by s.id`.execute(
          db,
        );
        return rows.map(({ id }) => id).join();
      });
    for (const [text, ids] of Object.entries({
      ...{
        ÄRGER: 'one',
        büro: 'one',
        'ROOT-äö': 'one',
        Ä: 'one',
        ирина: 'two',
        обновить: 'two',
        и: 'two',
        'WEB-2': 'two',
      },
      ...{
        ALICE: 'three',
        '"quoted"': 'three',
        '100%': 'three',
        a_b: 'three',
        'a%b': '',
        'c\\d': 'three',
        "it's": 'three',
      },
      ...{ '%': 'three', '\\': 'three', '\0': '', 'alicedb-3': '', fingerprint: '', ffff: '' },
    }))
      assert.equal(await found(text), ids, JSON.stringify(text));
  });

  it('lets 64 redemptions by two servers on one ledger take no more uses than a join token has', async () => {
    const clock = new SystemClock();
    const second = await stage.another();
    const context = (on: Ledger) => ({ ledger: on, clock, random: systemRandom, settings: SETTINGS });
    const caller = { userId: '', userName: 'olga', tokenId: '', role: 'owner' } as const;
    const { secret } = await new JoinTokens(context(ledger), 'f'.repeat(64)).create(caller, { uses: 3, ttlMs: HOUR });
    const [first, other] = [new Devices(context(ledger)), new Devices(context(second))];
    const attempts = Array.from({ length: 64 }, (_, at) =>
      (at % 2 === 0 ? first : other).enroll({
        joinToken: secret,
        keyHash: at.toString(16).padStart(64, '0'),
        hostname: 'clone',
        facts: {},
      }),
    );
    const results = await Promise.allSettled(attempts);
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as CurfewError] : []));
    assert.equal(refusals.length, 61);
    assert.deepEqual([...new Set(refusals.map(({ code }) => code))], ['JOIN_TOKEN_INVALID']);
    const devices = await ledger.read((db) => db.selectFrom('device').select('name').orderBy('name').execute());
    assert.deepEqual(
      devices.map(({ name }) => name),
      ['clone', 'clone-2', 'clone-3'],
    );
    const token = await ledger.read((db) => db.selectFrom('join_token').select('uses_left').executeTakeFirstOrThrow());
    assert.equal(token.uses_left, 0);
    await second.close();
  });
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
