import Database from 'better-sqlite3';
import assert from 'node:assert/strict';
import { askForSession, startSession } from '../bench/asked-session.js';
import { Fleet } from '../bench/fleet.js';
import { addHistory } from '../support/ledger-history.js';

const SETTINGS = {
  links: [],
  bulk: 0,
  sessions: 0,
  people: 0,
  expiring: 0,
  crowds: [],
  restMinutes: 0,
  soakMinutes: 0,
  past: [],
  runs: 0,
  rounds: 0,
  warmUp: 0,
};

describe('the past that a benchmark gives a ledger', function () {
  this.timeout(120_000);
  let fleet: Fleet;
  beforeEach(async () => {
    fleet = await Fleet.start(SETTINGS);
  });
  afterEach(() => fleet.close());

  /** How many rows of every kind there are of sessions and requests; new kinds of rows are counted by themselves. */
  function rowsOfSessions(): Map<string, number> {
    const db = new Database(fleet.plane.ledgerFile, { readonly: true });
    const columns = db
      .prepare(
        `select m.name as name, c.name as column from sqlite_master m join pragma_table_xinfo(m.name) c
         where m.type = 'table' and c.name in ('session_id', 'request_id')`,
      )
      .all() as { name: string; column: string }[];
    const kinds = ['session', 'access_request', ...columns.map(({ name }) => name)];
    const counts = new Map(
      [...new Set(kinds)].map((name) => [name, db.prepare(`select count(*) from ${name}`).pluck().get() as number]),
    );
    const events = db.prepare(
      `select type, count(*) as count from audit_event where subject like 'ses-%' or subject like 'req-%' group by type`,
    );
    for (const { type, count } of events.all() as { type: string; count: number }[]) counts.set(type, count);
    db.close();
    return counts;
  }

  async function live(): Promise<void> {
    for (const device of fleet.devices) {
      const request = await askForSession(device, 'alice', 'a look');
      await fleet.operator.approve(request);
      const id = await startSession(device, 'alice', request);
      await fleet.operator.untilActive(id);
      await fleet.operator.revoke({ $case: 'sessions', value: { ids: [id] } });
    }
  }

  it('is more of what a real session leaves, in an audit log that is whole, and the server goes on with it', async () => {
    await fleet.grow(2);
    await live();
    await fleet.plane.stop();
    const before = rowsOfSessions();
    assert.equal(await addHistory(fleet.plane, 3), 6);
    const after = rowsOfSessions();
    assert.deepEqual(after, new Map([...before].map(([kind, count]) => [kind, 4 * count])));
    assert.deepEqual(
      ['session', 'access_request', 'session_transition', 'session.ended'].map((kind) => after.get(kind)),
      [8, 8, 32, 8],
    );
    await fleet.plane.run();
    await Promise.all(fleet.devices.map((device) => device.goOnline()));
    await live();
    assert.equal(rowsOfSessions().get('session'), 10);
    assert.equal(await fleet.plane.auditProblem(), '');
  });
});
