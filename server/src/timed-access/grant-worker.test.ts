import { CurfewError, durationMs, MINUTE, SECOND, silentLogger, systemRandom } from '@curfew/shared';
import { sql } from 'kysely';
import assert from 'node:assert/strict';
import type { Connector } from '../connectors/connector.js';
import type { ConnectorKind } from '../connectors/connector-kind.js';
import type { LedgerTransaction } from '../ledger/ledger.js';
import { NO_MEASURES } from '../metrics/measures.js';
import { nextTurn } from '../next-turn.js';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { findResource } from '../resources/find-resource.js';
import { Circuits } from './circuits.js';
import { noteIntent } from './grant-moves.js';
import { taskOf, type GrantTask } from './grant-task.js';
import { GrantWorker } from './grant-worker.js';
import { connectorOf } from './open-connectors.js';
import { ResourceCalls, type Place } from './resource-calls.js';

const LIMIT = durationMs(10 * SECOND);
const SUBJECT = { id: 'cn=alice', label: 'alice' };

describe('an addition that waits for its turn at a connector', () => {
  let office: Office;
  let calls: ResourceCalls;
  let worker: GrantWorker;
  let place: Place;
  let id: string;
  let leads: boolean;
  let isAway: boolean;
  /** What the connector was asked, in order. */
  let asked: string[];
  /** Whether it answers to additions. */
  let answers: boolean;
  let leave: () => void;

  beforeEach(async () => {
    office = await openOffice();
    [leads, isAway, answers, asked] = [true, false, true, []];
    const { ledger, clock } = office;
    await ledger.write(async ({ db }) => {
      await sql`insert into connector (id, name, name_key, kind, settings, secrets, disabled, created_at_ms)
        values ('con-1', 'directory', 'directory', 'fake', '{}', '{}', 0, 0)`.execute(db);
      await sql`insert into resource (id, name, name_key, description, kind, connector_id, target, disabled, created_at_ms)
        values ('res-1', 'ops', 'ops', '', 'fake', 'con-1', '{}', 0, 0)`.execute(db);
    });
    const wish = { user: 'alice', device: '', resource: 'ops', account: '', durationMs: MINUTE, reason: 'why' };
    ({ id } = await office.sessions.grant(office.by('adam'), { ...wish, options: SUDO }));
    place = await ledger.read(async (db) => {
      const resource = await findResource(db, 'ops');
      return { resource, connector: (await connectorOf(db, resource))! };
    });

    const connector = {
      add: () => {
        asked.push('add');
        return answers ? Promise.resolve() : new Promise<void>(() => undefined);
      },
      remove: () => {
        asked.push('remove');
        return Promise.resolve();
      },
    } as unknown as Connector;
    const kind = { kind: 'fake', callsAtOnce: 1, callLimitMs: LIMIT } as unknown as ConnectorKind;
    const logger = silentLogger;
    const circuits = new Circuits(ledger, systemRandom);
    const open = { use: <T>(_: unknown, __: unknown, work: (open: never) => T) => work({ connector, kind } as never) };
    calls = new ResourceCalls({ clock, logger, open, circuits, measures: NO_MEASURES });
    const several = {
      read: ledger.read.bind(ledger),
      write: <T>(work: (tx: LedgerTransaction) => Promise<T>): Promise<T> => {
        if (!isAway) return ledger.write(work);
        // The next one is taken again.
        isAway = false;
        return Promise.reject(new CurfewError('LEDGER_UNAVAILABLE', { problem: 'gone' }));
      },
      get leads() {
        return leads;
      },
    };
    const parts = { ledger: several, measures: NO_MEASURES, clock, random: systemRandom, logger, calls, circuits };
    worker = new GrantWorker({ ...parts, kindOf: () => kind });
    await ledger.write((tx) => noteIntent(tx, id, SUBJECT));

    // Somebody else's call takes the connector's only place.
    void calls.call(place, false, () => new Promise<void>((resolve) => (leave = resolve)));
    await settled();
  });
  afterEach(() => office.ledger.close());

  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await nextTurn();
  };
  const task = (): Promise<GrantTask> => office.ledger.read((db) => taskOf(db, id));
  const work = async (): Promise<void> => worker.work(place, await task());
  /** Begins to work, and lets its turn come once something else has happened. */
  async function workAfter(happening: () => unknown): Promise<{ readonly done: Promise<void> }> {
    const working = work();
    // Whoever waits for it hears of its errors.
    working.catch(() => undefined);
    await settled();
    assert.deepEqual(asked, []);
    await happening();
    leave();
    await settled();
    return { done: working };
  }

  it('is sent when it has come, and is in doubt no more once it is answered', async () => {
    const { done } = await workAfter(() => undefined);
    await done;
    const { state, phase, doubtfulUntilMs } = await task();
    assert.deepEqual([asked, state, phase, doubtfulUntilMs], [['add'], 'active', 'held', 0]);
  });

  it('is not sent when its session was revoked meanwhile, which ends at once with what is taken away', async () => {
    const { done } = await workAfter(() => office.sessions.revoke(office.by('adam'), { ids: [id] }, 'enough'));
    await done;
    assert.deepEqual(asked, []);
    await work();
    const { state, phase } = await task();
    assert.deepEqual([asked, state, phase], [['remove'], 'ended', 'gone']);
  });

  it('is not sent by a server that leads no more, and nothing is changed', async () => {
    const before = await task();
    const { done } = await workAfter(() => {
      leads = false;
    });
    await done;
    assert.deepEqual([asked, await task()], [[], before]);
  });

  it('is not sent when the ledger cannot be asked, which says nothing of the connector', async () => {
    const before = await task();
    const { done } = await workAfter(() => {
      isAway = true;
    });
    await assert.rejects(done, { code: 'LEDGER_UNAVAILABLE' });
    assert.deepEqual([asked, await task()], [[], before]);
  });

  it('is in doubt for as long after its turn as two calls may take', async () => {
    answers = false;
    const { done } = await workAfter(() => {
      office.clock.advance(durationMs(LIMIT - 1));
    });
    const { doubtfulUntilMs } = await task();
    assert.deepEqual([asked, doubtfulUntilMs], [['add'], office.clock.now() + 2 * LIMIT]);
    office.clock.advance(LIMIT);
    await done;
    await office.sessions.revoke(office.by('adam'), { ids: [id] }, 'enough');
    await work();
    assert.deepEqual([asked, (await task()).state], [['add', 'remove'], 'ending']);
    office.clock.advance(LIMIT);
    await work();
    assert.deepEqual([asked, (await task()).state], [['add', 'remove', 'remove'], 'ended']);
  });
});
