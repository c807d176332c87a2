import { CurfewError, ManualClock, silentLogger, systemRandom } from '@curfew/shared';
import assert from 'node:assert/strict';
import type { Ledger } from '../ledger/ledger.js';
import { nextTurn } from '../next-turn.js';
import { openOffice, type Office } from '../policies/office-fixture.js';
import { Notifier } from './notifier.js';
import { delivered } from './sender.js';

const ID = 'chn-00000000000000000000';

describe('the notifier of a server among several', () => {
  let office: Office;
  let notifier: Notifier;
  let leads: boolean;
  let isAway: boolean;
  let lead: () => void;
  /** The channels of which a sender was made. */
  let made: string[];
  let logged: string[];

  beforeEach(async () => {
    office = await openOffice();
    [leads, isAway, made, logged] = [false, false, [], []];
    const { ledger } = office;
    const row = { id: ID, name: 'ops', name_key: 'ops', kind: 'webhook', target: 'x', event_types: '[]' } as const;
    const rest = { disabled: 0, secret: '', created_at_ms: 0, cursor: 0, last_error: '', last_delivered_at_ms: null };
    await ledger.write(async ({ db }) => {
      await db
        .insertInto('channel')
        .values({ ...row, ...rest })
        .execute();
    });
    const shared: Ledger = {
      sessionSearch: ledger.sessionSearch,
      read: (work) =>
        isAway ? Promise.reject(new CurfewError('LEDGER_UNAVAILABLE', { problem: 'gone' })) : ledger.read(work),
      write: (work) => ledger.write(work),
      onChange: (listener) => ledger.onChange(listener),
      problem: '',
      get leads() {
        return leads;
      },
      onLead: (listener) => {
        lead = listener;
        return () => undefined;
      },
      backup: (file) => ledger.backup(file),
      close: () => ledger.close(),
    };
    notifier = new Notifier({
      ledger: shared,
      clock: new ManualClock(),
      random: systemRandom,
      logger: { ...silentLogger, error: (message) => logged.push(message) },
      senderOf: ({ id }) => {
        made.push(id);
        return { ordered: true, send: () => Promise.resolve(delivered('ok')) };
      },
    });
    await notifier.start();
  });
  afterEach(async () => {
    await notifier.stop();
    await office.ledger.close();
  });

  it('has its channels at work within a minute where they could not be read when it began to lead', async () => {
    [leads, isAway] = [true, true];
    lead();
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    assert.deepEqual([made, logged], [[], ['a channel could not be looked at']]);
    isAway = false;
    for (let minute = 0; minute < 2; minute++) await notifier.sweep();
    assert.deepEqual([made, [...notifier.slowest().keys()]], [[ID], ['webhook']]);
  });

  it('has none at work where another server leads', async () => {
    await notifier.sweep();
    assert.deepEqual([made, logged], [[], []]);
  });

  it('has none at work twice that is changed while it is swept, and none once it is stopped', async () => {
    leads = true;
    await notifier.sweep();
    await Promise.all([notifier.reload(ID), notifier.sweep(), notifier.reload(ID)]);
    assert.deepEqual(made, [ID, ID, ID]);
    await notifier.stop();
    await notifier.sweep();
    assert.deepEqual([made.length, notifier.slowest().size], [3, 0]);
  });
});
