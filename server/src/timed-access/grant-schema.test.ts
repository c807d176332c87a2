import { ManualClock, silentLogger, systemRandom } from '@curfew/shared';
import { sql } from 'kysely';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { SqliteLedger } from '../ledger/sqlite-ledger.js';
import { Sessions } from '../sessions/sessions.js';
import type { Caller } from '../users/caller.js';
import { Users } from '../users/users.js';
import { confirmGone, confirmHeld, noteIntent } from './grant-moves.js';
import { taskOf } from './grant-task.js';

const OPTIONS = { kind: 'sudo_rule' as const, passwordRequired: false, commands: [], runAs: '', group: '' };
const SUBJECT = { id: 'cn=alice', label: 'alice' };

describe('the ledger of timed access', () => {
  let ledger: SqliteLedger;
  let sessions: Sessions;
  let clock: ManualClock;
  let olga: Caller;
  let id: string;

  beforeEach(async () => {
    clock = new ManualClock();
    const noteKey = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const fatal = (error: unknown) => assert.fail(String(error));
    ledger = await SqliteLedger.open({ file: ':memory:', clock, random: systemRandom, noteKey, fatal });
    const settings = {
      maxSessionMs: 3_600_000,
      decideWithinMs: 3_600_000,
      startWithinMs: 3_600_000,
      passwordRequired: false,
      linkAccounts: 'by_name' as const,
    };
    const context = { ledger, clock, random: systemRandom, logger: silentLogger, settings };
    const users = new Users(context);
    const { id: userId } = await users.create('server', { name: 'olga', displayName: '', role: 'owner' });
    await users.create('server', { name: 'alice', displayName: '', role: 'user' });
    olga = { userId, userName: 'olga', tokenId: '', role: 'owner' };
    await ledger.write(async ({ db }) => {
      await sql`insert into connector (id, name, name_key, kind, settings, secrets, disabled, created_at_ms)
        values ('con-1', 'directory', 'directory', 'fake', '{}', '{}', 0, 0)`.execute(db);
      await sql`insert into resource (id, name, name_key, description, kind, connector_id, target, disabled, created_at_ms)
        values ('res-1', 'ops', 'ops', '', 'fake', 'con-1', '{}', 0, 0)`.execute(db);
    });
    sessions = new Sessions(context);
    const wish = { user: 'alice', device: '', resource: 'ops', account: '', durationMs: 60_000, reason: 'why' };
    ({ id } = await sessions.grant(olga, { ...wish, options: OPTIONS }));
  });
  afterEach(() => ledger.close());

  const task = () => ledger.read((db) => taskOf(db, id));
  const due = async (): Promise<number | null> => {
    const row = await ledger.read((db) =>
      db.selectFrom('resource_grant').select('due_at_ms').executeTakeFirstOrThrow(),
    );
    return row.due_at_ms;
  };
  const breaks = (rule: string, statement: string) =>
    assert.rejects(
      ledger.write(({ db }) => sql.raw(statement).execute(db)),
      new RegExp(rule),
    );

  it('is due from its first moment, rests when it is held, and is due again when it ends, whoever ends it', async () => {
    assert.equal(await due(), clock.now());
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));
    const { expiresAtMs } = await task();
    await ledger.write((tx) => confirmHeld(tx, id, { untilMs: expiresAtMs, doubtfulUntilMs: 0 }, clock.now()));
    assert.deepEqual([(await task()).state, await due()], ['active', null]);
    await sessions.revoke(olga, { ids: [id] }, 'enough');
    assert.equal(await due(), clock.now());
    await ledger.write((tx) => confirmGone(tx, id, clock.now()));
    assert.deepEqual([(await task()).state, await due()], ['ended', null]);
  });

  it('claims nothing that the resource has not confirmed', async () => {
    const move = (state: string) =>
      `insert into session_transition select id, seq + 1, seq, state, '${state}', 0 from session where id = '${id}'`;
    const update = (state: string, more = '') =>
      `update session set state = '${state}', seq = seq + 1${more} where id = '${id}'`;
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));
    const both = (state: string, more?: string) =>
      ledger.write(async ({ db }) => {
        await sql.raw(move(state)).execute(db);
        await sql.raw(update(state, more)).execute(db);
      });
    await assert.rejects(both('active'), /session_of_a_resource_is_active_when_held/);
    await assert.rejects(
      both('ended', `, end_reason = 'failed', ended_at_ms = 0`),
      /session_of_a_resource_ends_when_gone/,
    );
    assert.equal((await task()).state, 'starting');
  });

  it('never forgets what was begun', async () => {
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));
    const set = (phase: string) => `update resource_grant set phase = '${phase}'`;
    await breaks('resource_grant_only_goes_on', set('finding'));
    await breaks('resource_grant_intends_for_somebody', `update resource_grant set subject_id = ''`);
    assert.equal((await task()).phase, 'adding');
  });

  it('does not begin what was revoked in the meantime', async () => {
    await sessions.revoke(olga, { ids: [id] }, 'enough');
    assert.equal(await ledger.write((tx) => noteIntent(tx, id, SUBJECT)), false);
    assert.deepEqual([(await task()).phase, (await task()).state], ['finding', 'ending']);
  });

  it('goes on ending when an addition is confirmed after the end was decided', async () => {
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));
    await sessions.revoke(olga, { ids: [id] }, 'enough');
    await ledger.write((tx) => confirmHeld(tx, id, { untilMs: 1, doubtfulUntilMs: 0 }, clock.now()));
    assert.deepEqual([(await task()).state, (await task()).phase, await due()], ['ending', 'held', clock.now()]);
  });
});
