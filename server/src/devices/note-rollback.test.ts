import { DAY, durationMs, signCheckpoint } from '@curfew/shared';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { sql } from 'kysely';
import { readMeta } from '../ledger/ledger-meta.js';
import { openOffice, SUDO, type Office } from '../policies/office-fixture.js';

describe('a device that says that it has seen a newer ledger', () => {
  let office: Office;

  beforeEach(async () => {
    office = await openOffice();
  });
  afterEach(() => office.ledger.close());

  const hello = (numbers: object, note = '') =>
    office.auditLog
      .hasForgotten(note)
      .then((forgotten) =>
        office.devices.hello(office.web, { incarnation: 1, floorGeneration: 0, floorEpoch: 0, ...numbers, forgotten }),
      );
  const refuse = async (note: string): Promise<void> =>
    office.devices.serverRefused(office.web.id, 'the log is short', await office.auditLog.isContradictedBy(note));
  const mark = (): Promise<string> => office.ledger.read(async (db) => (await readMeta(db)).rolledBack);
  const told = (): Promise<string[]> =>
    office.ledger.read(async (db) => {
      const events = await db.selectFrom('audit_event').selectAll().where('type', 'like', 'ledger.%').execute();
      return events.map(({ type, actor, subject }) => `${type} ${actor} ${subject}`);
    });
  const event = (type: string): string => `ledger.${type} device:web-1 ${office.web.id}`;
  const grant = () =>
    office.sessions.grant(office.by('adam'), {
      user: 'bert',
      device: 'db-1',
      account: '',
      durationMs: 60_000,
      reason: 'x',
      options: SUDO,
    });
  /** What this ledger could have signed in a part that it has lost. */
  async function lostCheckpoint(): Promise<string> {
    const [origin = ''] = (await office.auditLog.checkpoint()).split('\n');
    return signCheckpoint({ origin, size: 1_000, root: Buffer.alloc(32, 7) }, office.noteKey);
  }

  for (const [how, numbers] of Object.entries({
    'a generation': { floorGeneration: 99 },
    'an epoch': { floorEpoch: 99 },
    'an incarnation': { incarnation: 9 },
  }))
    it(`by ${how} that there never was is noted, once a day, and stops nobody else`, async () => {
      for (let time = 0; time < 3; time += 1)
        assert.equal(await hello(numbers), true, 'its generations are believed in nothing');
      await refuse('');
      assert.deepEqual([await mark(), await told()], ['', [event('rollback_claimed')]]);
      await grant();
      office.clock.advance(durationMs(DAY));
      await hello(numbers);
      assert.deepEqual([await mark(), await told()], ['', [event('rollback_claimed'), event('rollback_claimed')]]);
    });

  it('by a checkpoint that it has made itself, is not believed', async () => {
    const key = { name: 'curfew-audit', privateKey: generateKeyPairSync('ed25519').privateKey };
    const own = signCheckpoint({ origin: 'curfew/x/1', size: 1_000, root: Buffer.alloc(32, 7) }, key);
    assert.equal(await hello({}, own), false);
    await refuse(own);
    assert.deepEqual([await mark(), await told()], ['', [event('rollback_claimed')]]);
    await grant();
  });

  it('by a checkpoint that the log has, is not believed, however much the log has grown', async () => {
    const note = await office.auditLog.checkpoint();
    await refuse(note);
    await grant();
    assert.equal(await office.auditLog.isContradictedBy(note), false);
    await refuse(note);
    assert.deepEqual([await mark(), await told()], ['', [event('rollback_claimed')]]);
  });

  for (const [how, tell] of Object.entries({
    'its hello': (note: string) => hello({}, note),
    'a refusal': (note: string) => refuse(note),
  }))
    it(`is believed when ${how} brings a checkpoint that this ledger has signed and lost`, async () => {
      await hello({ floorEpoch: 99 });
      await tell(await lostCheckpoint());
      await tell(await lostCheckpoint());
      assert.match(await mark(), /^web-1: the device /);
      assert.deepEqual(await told(), [event('rollback_claimed'), event('rollback_detected')]);
      await assert.rejects(grant, { code: 'LEDGER_ROLLED_BACK' });
    });

  it('is believed when the log has been written anew below a checkpoint that it still has', async () => {
    const note = await office.auditLog.checkpoint();
    await grant();
    await office.ledger.write(async ({ db }) => {
      await sql`drop trigger audit_node_is_append_only_update`.execute(db);
      await db
        .updateTable('audit_node')
        .set({ hash: Buffer.alloc(32, 1) })
        .where('level', '=', 0)
        .execute();
      await db
        .updateTable('audit_node')
        .set({ hash: Buffer.alloc(32, 2) })
        .where('level', '>', 0)
        .execute();
    });
    await refuse(note);
    assert.notEqual(await mark(), '');
    await assert.rejects(grant, { code: 'LEDGER_ROLLED_BACK' });
  });
});
