import { CurfewError, durationMs, MINUTE, silentLogger, type LeaseKeySet } from '@curfew/shared';
import assert from 'node:assert/strict';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';
import { sweepRecordings } from '../recordings/sweep-recordings.js';
import { UNAVAILABLE_RECORDINGS } from '../recordings/unavailable-recordings.js';
import { sweepEveryMinute } from './every-minute.js';

const OWN = ['links', 'checkpoints', 'recordings', 'leaseKeys'];
const LEADERS = ['requests', 'rollouts', 'signIns', 'oidc', 'notifications', 'timedAccess'];

describe('what is done every minute', () => {
  let office: Office;
  let ran: string[];
  let logged: unknown[];
  let keySet: LeaseKeySet;
  beforeEach(async () => {
    office = await openOffice();
    [ran, logged, keySet] = [[], [], { version: 0, keys: [] }];
  });
  afterEach(() => office.ledger.close());

  /** Parts that note that they have run, of which one fails. */
  const parts = (failing = '') => {
    const begin = (part: string): void => {
      ran.push(part);
      if (part === failing) throw new CurfewError('LEDGER_UNAVAILABLE', { problem: part });
    };
    const run = async (part: string): Promise<void> => {
      begin(part);
    };
    return {
      context: office.context,
      config: { connectionAgeMs: MINUTE },
      ledger: { leads: true },
      keys: {
        lease: {
          get set() {
            begin('leaseKeys');
            return keySet;
          },
        },
      },
      requests: { sweep: () => run('requests').then(() => office.requests.sweep()) },
      signIn: { signIns: { sweep: () => run('signIns') }, oidc: { signIn: { recheck: () => run('oidc') } } },
      hub: {
        spread: () => {
          begin('links');
        },
        pushCheckpoints: () => run('checkpoints'),
        lostSince: () => undefined,
      },
      notifications: { notifier: { sweep: () => run('notifications') } },
      timedAccess: { work: { sweep: () => run('timedAccess') } },
      recorded: { sweep: () => run('recordings') },
      updates: { rollouts: { sweep: () => run('rollouts') } },
      logger: {
        ...silentLogger,
        error: (message: string, fields?: object) => logged.push({ message, ...fields }),
      },
    };
  };

  it('is all done by the server that leads, and on others what concerns themselves', async () => {
    await sweepEveryMinute(parts());
    assert.deepEqual(ran, [...OWN, ...LEADERS]);
    ran = [];
    await sweepEveryMinute({ ...parts(), ledger: { leads: false } });
    assert.deepEqual([ran, logged], [OWN, []]);
  });

  for (const failing of [...OWN, ...LEADERS].filter((part) => part !== 'oidc'))
    it(`is done but for what fails, which is told: ${failing}`, async () => {
      await assert.rejects(sweepEveryMinute(parts(failing)), (error: unknown) => {
        assert.ok(error instanceof AggregateError, String(error));
        assert.deepEqual(
          error.errors.map((one: unknown) => one instanceof CurfewError && one.code),
          ['LEDGER_UNAVAILABLE'],
        );
        return true;
      });
      assert.deepEqual(ran, [...OWN, ...LEADERS]);
      assert.deepEqual(
        logged.map((line) => (line as { part: string }).part),
        [failing],
      );
    });

  it('times requests out also where recordings cannot be opened', async () => {
    const { id } = await office.access.request(office.by('alice'), {
      device: 'web-1',
      account: '',
      durationMs: 30 * MINUTE,
      reason: 'a look',
      ticket: '',
      options: SUDO,
      breakGlass: false,
    });
    office.clock.advance(durationMs(office.context.settings.decideWithinMs));
    const sweep = () => sweepRecordings(office.context, UNAVAILABLE_RECORDINGS, MINUTE);
    await assert.rejects(sweepEveryMinute({ ...parts(), recorded: { sweep } }), AggregateError);
    assert.equal((await office.requests.get(id)).state, 'timed_out');
  });

  it('tells of lease keys that could not be told of when they were made, once', async () => {
    const told: string[] = [];
    office.ledger.onChange((changes) => told.push(...changes.map(({ kind }) => kind)));
    keySet = { version: 2, keys: [] };
    for (let minute = 0; minute < 2; minute++) await sweepEveryMinute({ ...parts(), ledger: { leads: false } });
    const events = await office.ledger.read((db) =>
      db.selectFrom('audit_event').select('idx').where('type', '=', 'lease_keys.made').execute(),
    );
    assert.deepEqual([events.length, told], [1, ['ledger']]);
  });
});
