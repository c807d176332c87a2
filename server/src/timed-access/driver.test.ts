import { MINUTE, silentLogger } from '@curfew/shared';
import { sql } from 'kysely';
import assert from 'node:assert/strict';
import { NO_MEASURES } from '../metrics/measures.js';
import { nextTurn } from '../next-turn.js';
import { openOffice, SUDO } from '../policies/office-fixture.js';
import { Driver, type DriverParts } from './driver.js';
import type { GrantTask } from './grant-task.js';
import { Lanes } from './lanes.js';

/** More than there is to do; whoever goes on for ever is stopped there. */
const MOST = 20;

describe('the driver of timed access', () => {
  it('begins nothing more once another server leads, also of what it was at', async () => {
    const office = await openOffice();
    const { ledger, clock } = office;
    await ledger.write(async ({ db }) => {
      await sql`insert into connector (id, name, name_key, kind, settings, secrets, disabled, created_at_ms)
        values ('con-1', 'directory', 'directory', 'fake', '{}', '{}', 0, 0)`.execute(db);
      await sql`insert into resource (id, name, name_key, description, kind, connector_id, target, disabled, created_at_ms)
        values ('res-1', 'ops', 'ops', '', 'fake', 'con-1', '{}', 0, 0)`.execute(db);
    });
    const wish = { device: '', resource: 'ops', account: '', durationMs: MINUTE, reason: 'why', options: SUDO };
    for (const user of ['alice', 'bert']) await office.sessions.grant(office.by('adam'), { ...wish, user });
    const worked: string[] = [];
    let leads = true;
    let stopped = false;
    const parts = {
      ledger: {
        read: ledger.read.bind(ledger),
        write: ledger.write.bind(ledger),
        onChange: ledger.onChange.bind(ledger),
        get leads() {
          return leads;
        },
      },
      circuits: { load: () => Promise.resolve(), closedUntil: () => undefined },
      calls: {
        isStopping: () => stopped || worked.length > MOST,
        stop: () => {
          stopped = true;
        },
      },
      worker: {
        work: (_: unknown, task: GrantTask) => {
          worked.push(task.userId);
          leads = false;
          return Promise.resolve();
        },
      },
    };
    const rest = { clock, lanes: new Lanes(), measures: NO_MEASURES, logger: silentLogger };
    const driver = new Driver({ ...parts, ...rest } as unknown as DriverParts);
    await driver.start();
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    await driver.stop();
    await ledger.close();
    assert.equal(worked.length, 1);
  });
});
